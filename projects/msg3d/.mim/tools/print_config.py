from msg3d.apis.mmaction_tools import run_tool

if __name__ == "__main__":
    run_tool("analysis_tools/print_config.py")
