"""Print a script that completes commands, options, and names in a shell.

bash:  eval "$(msg3d completion bash)"        in ~/.bashrc
zsh:   eval "$(msg3d completion zsh)"         in ~/.zshrc, after compinit
fish:  msg3d completion fish | source         in ~/.config/fish/config.fish
"""

import argparse

from ..errors import MSG3DError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(args: argparse.Namespace) -> None:
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        raise MSG3DError(
            "shell completion requires argcomplete. Run `pip install argcomplete`.",
            kind="missing-package",
        ) from None
    print(shellcode(["msg3d"], shell=args.shell))
