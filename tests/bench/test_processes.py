"""What processes cost is read from /proc."""

import os
import subprocess
import sys

from folkmoot.bench.processes import cpu_s, pss_mb, resident_mb, tree

GONE = 2**22 + 1


def test_a_tree_holds_children_of_children() -> None:
    script = "import subprocess, sys; subprocess.run(['cat'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        while len(tree(child.pid)) < 2:
            assert child.poll() is None
        assert set(tree(child.pid)) < set(tree(os.getpid()))
        assert child.stdin is not None
        child.stdin.close()


def test_work_is_counted_also_when_a_child_did_it() -> None:
    before = cpu_s([os.getpid()])
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert cpu_s([os.getpid()]) > before


def test_memory_is_that_of_this_process() -> None:
    assert 1 < pss_mb([os.getpid()]) <= resident_mb([os.getpid()]) < 100_000


def test_processes_that_are_gone_cost_nothing() -> None:
    assert (cpu_s([GONE]), pss_mb([GONE]), tree(GONE)) == (0, 0, [GONE])
