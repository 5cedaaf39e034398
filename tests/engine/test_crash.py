"""What was acknowledged survives a process that is killed without warning."""

from __future__ import annotations

import subprocess
import sys

import pytest

import omnistock as om

NOW = 20_000 * 86_400

SHOPPER = """
import sys
import omnistock as om

engine = om.open(sys.argv[1], clock=lambda: 20_000 * 86_400)
print("open", flush=True)
for k in range(1_000_000):
    hold = engine.reserve(f"O-{k}", [("tee", 1)], ttl_s=600, request_id=k + 1)
    print(hold.hold_id, flush=True)
"""


@pytest.mark.parametrize("n_acknowledged", [1, 40])
def test_a_killed_process_forgets_nothing_that_it_acknowledged(tmp_path, n_acknowledged):
    path = tmp_path / "shop.db"
    network = om.Network.build(skus=["tee"], nodes=["dc"])
    with om.open(path, network, clock=lambda: NOW) as engine:
        engine.receive("tee", "dc", 500_000)

    with subprocess.Popen(
        [sys.executable, "-c", SHOPPER, str(path)], stdout=subprocess.PIPE, text=True
    ) as shopper:
        assert shopper.stdout is not None
        assert shopper.stdout.readline() == "open\n"
        heard = [int(shopper.stdout.readline()) for _ in range(n_acknowledged)]
        shopper.kill()
        heard += [int(line) for line in shopper.stdout.read().split("\n")[:-1]]

    assert heard == list(range(len(heard)))
    with om.open(path, clock=lambda: NOW) as engine:
        holds = engine.holds()
        # One more may have reached the disk without being heard of.
        assert len(heard) <= len(holds) <= len(heard) + 1
        assert engine.available("tee") == 500_000 - len(holds)
        assert engine.verify().ok
        again = engine.reserve("O-0", [("tee", 1)], ttl_s=600, request_id=1)
        assert again.hold_id == 0
