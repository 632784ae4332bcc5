"""Run MMAction2's analyze_logs on logs of MMEngine.

The tool expects the older log format: a `mode` in each line, and iterations counted from
the start of each epoch. It receives copies in that format.
"""

import json
import sys
import tempfile
from pathlib import Path

from msg3d.apis.mmaction_tools import run_tool


def convert_log(log: Path, folder: str) -> str:
    """Write the training lines of a scalars.json in the older format."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if "epoch" in line]
    last = {line["epoch"]: line["iter"] for line in lines}  # last iteration per epoch
    for line in lines:
        line.update(mode="train", iter=line["iter"] - last.get(line["epoch"] - 1, 0))
    copy = Path(folder, f"{log.parent.parent.name or 'log'}.json")
    copy.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return str(copy)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.argv[1:] = [
            convert_log(Path(arg), folder) if arg.endswith(".json") else arg
            for arg in sys.argv[1:]
        ]
        run_tool("analysis_tools/analyze_logs.py")
