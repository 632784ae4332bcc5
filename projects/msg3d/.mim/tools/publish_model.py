import sys

from msg3d.apis.mmaction_tools import check_checkpoint, run_tool_on_pth

if __name__ == "__main__":
    if len(sys.argv) == 3:  # SOURCE OUT: the tool calls torch.load on the source
        check_checkpoint(sys.argv[1])
    run_tool_on_pth("deployment/publish_model.py")
