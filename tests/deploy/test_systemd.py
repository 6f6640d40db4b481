"""The systemd unit: systemd understands it, and what Folkmoot takes from itself it may still take under it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "folkmoot.service"
# Loads the filter as systemd does (seccomp(2): what isn't named fails with EPERM); says what then holds a child.
CONFINED = """
import ctypes, sys
from pathlib import Path
from folkmoot.media import confinement
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
if len(sys.argv) > 1:
    context = ctypes.c_void_p(library.seccomp_init(0x00050001))
    for name in sys.argv[1:]:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            assert library.seccomp_rule_add(context, 0x7FFF0000, number, 0) == 0
    assert library.seccomp_load(context) == 0
print(confinement.confine(Path.cwd()))
"""


def analyze(*arguments: str) -> str:
    program = shutil.which("systemd-analyze")
    assert program is not None, "scripts/install-system-packages installs systemd"
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, env={"SYSTEMD_COLORS": "0"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def allowed(name: str) -> set[str]:
    """The system calls of one word of SystemCallFilter=."""
    if not name.startswith("@"):
        return {name}
    members = re.findall(r"^ {4}([@\w-]+)$", analyze("syscall-filter", name), re.MULTILINE)
    return {call for member in members for call in allowed(member)}


def test_systemd_understands_it(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/folkmoot/bin/folkmoot", sys.executable))
    assert analyze("verify", "--man=no", str(unit)) == ""


def test_it_is_started_again_however_often_its_database_was_not_there() -> None:
    """systemd by itself gives up after five starts within ten seconds, for good."""
    about, _, service = UNIT.read_text().partition("[Service]")
    assert "\nStartLimitIntervalSec=0\n" in about
    assert "\nRestart=on-failure\n" in service


def test_with_a_wrong_setting_it_has_failed() -> None:
    """And doesn't begin anew every second for ever."""
    assert "\nRestartPreventExitStatus=2\n" in UNIT.read_text()


def test_its_filter_leaves_a_child_that_reads_uploads_as_confined_as_without(tmp_path: Path) -> None:
    lines = re.findall(r"^SystemCallFilter=(.+)$", UNIT.read_text(), re.MULTILINE)
    calls = {call for line in lines for word in line.split() for call in allowed(word)}
    assert {"openat", "io_uring_enter"} <= calls
    assert "mount" not in calls

    def confined(*calls: str) -> str:
        command = [sys.executable, "-I", "-c", CONFINED, *calls]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert confined(*sorted(calls)) == confined()
