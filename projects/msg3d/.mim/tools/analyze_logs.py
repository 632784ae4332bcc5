"""MMAction2's analyze_logs, msg3d first."""

from msg3d.apis.mmaction_tools import run_tool

if __name__ == "__main__":
    run_tool(__file__, needs="seaborn")
