"""MMAction2's analyze_logs, on logs as MMEngine writes them.

The tool expects logs of the time before MMEngine: a `mode` in each line, and iterations
counted from the beginning of each epoch. It is given copies in that form.
"""

import json
import sys
import tempfile
from pathlib import Path

from msg3d.apis.mmaction_tools import run_tool


def old_form(log: Path, folder: str) -> str:
    """Write the training lines of a scalars.json as the tool expects them."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if "epoch" in line]
    ends = {line["epoch"]: line["iter"] for line in lines}  # last one stays
    for line in lines:
        line.update(mode="train", iter=line["iter"] - ends.get(line["epoch"] - 1, 0))
    copy = Path(folder, f"{log.parent.parent.name or 'log'}.json")
    copy.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return str(copy)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.argv[1:] = [
            old_form(Path(part), folder) if part.endswith(".json") else part
            for part in sys.argv[1:]
        ]
        run_tool("analysis_tools/analyze_logs.py")
