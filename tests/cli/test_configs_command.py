"""`msg3d configs`, `new-config`, and `info`."""

from in_process import msg3d_command
from msg3d.apis.config_files import shipped_configs
from samples import write


def test_list(capsys):
    assert msg3d_command("configs") == 0
    output = capsys.readouterr().out
    assert all(name in output for name in shipped_configs())
    assert msg3d_command("configs", "nw-ucla", "bone") == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert lines
    assert all("NW-UCLA" in line and "bone" in line for line in lines)
    assert msg3d_command("configs", "nothing") == 1


def test_copy_and_new_config(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "msg3d_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d"
    assert msg3d_command("configs", "copy", name, "mine") == 0
    assert (tmp_path / "mine" / "msg3d" / f"{name}.py").exists()
    assert msg3d_command("configs", "copy", name) == 2
    write("a.pkl")
    assert msg3d_command("new-config", "a.pkl", "a.py", "--layout", "kinect20") == 0
    assert "next: msg3d train a.py" in capsys.readouterr().out
    assert msg3d_command("new-config", "a.pkl", "a.py", "--layout", "kinect20") == 1


def test_info(capsys):
    assert msg3d_command("info") == 0
    report = capsys.readouterr().out
    assert "torch" in report
    assert "active" in report
