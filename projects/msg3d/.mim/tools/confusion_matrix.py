from msg3d.apis.mmaction_tools import run_tool_on_pth

if __name__ == "__main__":
    run_tool_on_pth("analysis_tools/confusion_matrix.py")
