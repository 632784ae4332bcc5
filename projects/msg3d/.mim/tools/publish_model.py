import sys

from msg3d.apis.mmaction_tools import check_checkpoint, run_tool_on_pth

if __name__ == "__main__":
    if len(sys.argv) == 3:  # source, out: the tool loads the source by torch itself
        check_checkpoint(sys.argv[1])
    run_tool_on_pth("deployment/publish_model.py")
