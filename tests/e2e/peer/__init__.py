# SPDX-License-Identifier: MIT
"""A second opinion on the wire: PDUs and NDR written apart from the library."""
