# SPDX-License-Identifier: MIT
# bash completion for penstock and penstock-idl.

# Names of operations in the IDL file $1, as INTERFACE.OPERATION: what stands before a
# parenthesis behind a type, which is good enough to be offered.
_penstock_operations()
{
    sed -e 's|//.*||' "$1" 2>/dev/null | tr '\n' ' ' | sed -e 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/| |g' |
        tr '{;}' '\n' |
        sed -n -e 's/.*\<interface[[:space:]]\+\([A-Za-z_][A-Za-z0-9_]*\)[[:space:]]*$/= \1/p' \
            -e '/\<typedef\>/d' \
            -e 's/^[^(]*[[:space:]*]\([A-Za-z_][A-Za-z0-9_]*\)[[:space:]]*(.*$/\1/p' |
        awk '$1 == "=" {i = $2; next} i != "" {print i "." $1}'
}

# The values of options. `=` and `:` divide words for readline, so that of COMP_WORDS the last may be
# the end of one only; what is replaced is that end.
_penstock_value()
{
    local whole=${COMP_LINE:0:COMP_POINT}
    whole=${whole##*[[:space:]]}
    case $whole in
    --syntax=*) COMPREPLY=($(compgen -W "ndr ndr64" -- "${whole##*=}")) ;;
    --include=*) compopt -o filenames; COMPREPLY=($(compgen -d -- "${whole##*=}")) ;;
    --*-pipe=*=* | --script=*) compopt -o filenames; COMPREPLY=($(compgen -f -- "${whole##*=}")) ;;
    -*=*) ;;
    *=*) compopt -o filenames; COMPREPLY=($(compgen -f -- "${whole##*=}")) ;; # --in-pipe NAME=FILE
    *) return 1 ;;
    esac
}

_penstock()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local words= file= binding= i
    COMPREPLY=()
    _penstock_value && return
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "call ping ls ifs stats --help --version" -- "$cur"))
        return
    fi
    case $prev in
    --syntax) COMPREPLY=($(compgen -W "ndr ndr64" -- "$cur")); return ;;
    -I | --include) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --script) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
    -c | -t | -i | -D | --count | --timeout | --interval | --define) [[ $command != call || $prev != -c ]] && return ;;
    esac
    if [[ $cur == -* ]]; then
        case $command in
        call) words="--compact --timeout= --include= --define= --in-pipe= --out-pipe= --pipe-json
                     --no-progress --script= --syntax=ndr --syntax=ndr64 --help" ;;
        ping) words="--count= --interval= --quiet --syntax=ndr --syntax=ndr64 --help" ;;
        ls) words="--port= --json --help" ;;
        ifs | stats) words="--json --help" ;;
        esac
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi
    if [[ $COMP_CWORD -ge 2 && ! $cur == *:* && $command == call ]]; then
        for i in "${COMP_WORDS[@]:2:COMP_CWORD - 2}"; do
            [[ $i == *.idl ]] && file=$i
            [[ $i == *:* ]] && binding=$i
        done
        if [[ -n $file ]]; then
            COMPREPLY=($(compgen -W "$(_penstock_operations "$file")" -- "$cur"))
        else
            [[ -z $binding ]] && COMPREPLY=($(compgen -W "ncacn_ip_tcp: ncalrpc:" -- "$cur"))
            if [[ -n ${COMPREPLY[0]} ]]; then # as they are: the colon of a file's name is quoted
                compopt -o nospace
            else
                compopt -o filenames
                COMPREPLY=($(compgen -f -X '!*.idl' -- "$cur") $(compgen -d -- "$cur"))
            fi
        fi
        return
    fi
    COMPREPLY=($(compgen -W "ncacn_ip_tcp: ncalrpc:" -- "$cur"))
    compopt -o nospace
}
complete -F _penstock penstock

_penstock_idl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $prev in
    -client | -server) COMPREPLY=($(compgen -W "none stub" -- "$cur")); return ;;
    -char) COMPREPLY=($(compgen -W "signed unsigned ascii7" -- "$cur")); return ;;
    -protocol) COMPREPLY=($(compgen -W "dce ndr64 all" -- "$cur")); return ;;
    -out | -I) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")); return ;;
    -acf) compopt -o filenames; COMPREPLY=($(compgen -f -X '!*.acf' -- "$cur") $(compgen -d -- "$cur")); return ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "-out -h -header -cstub -sstub -client -server -acf -I -D -U -no_cpp
            -cpp_cmd -cpp_opt -no_def_idir -prefix -oldnames -no_default_epv -app_config -osf -char -Zp
            -pack -ms_union -ms_conf_struct -rpcss -savePP -o -confirm -syntax_check -Zs -W0 -W1 -W2 -W3
            -W4 -no_warn -WX -MD -MF -MT -MP -protocol --version -help" -- "$cur"))
        return
    fi
    compopt -o filenames
    COMPREPLY=($(compgen -f -X '!*.idl' -- "$cur") $(compgen -d -- "$cur"))
}
complete -F _penstock_idl penstock-idl
