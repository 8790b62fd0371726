"""The real worker: each process of it killed, idle and in the middle of its work; and its supervisor."""

import pytest

from tests.faults.at_work import (
    CLUSTERS,
    WORKS,
    begin_slowly,
    begins_to_come_in,
    idle_workers_are_killed,
    kill,
    processes_of,
    until_in,
)
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk
from tests.intake.worker_process import Worker
from tests.labportal.process_tree import FROM_THE_END, cluster_main, kill_process

WORK_OF = {"portal": WORKS["list"], "downloads": WORKS["download"]}


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.fault_case("worker", "each process of the cluster {cluster} killed while idle")
def test_each_idle_process_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, cluster: str) -> None:
    desk, running = worker
    for index in FROM_THE_END:
        kill_process(running.process.pid, cluster, index)
        order_id = begins_to_come_in(desk)
        until_in(desk, order_id)
        verdict(desk, [order_id])


@pytest.mark.fault_case("worker", "idle workers of each cluster killed")
def test_all_idle_workers_are_killed(worker: tuple[Desk, Worker], verdict: Verdict) -> None:
    """Its control, without the supervisor, is in test_controls.py."""
    desk, running = worker
    orders, are_in = idle_workers_are_killed(
        desk, lambda: [cluster_main(running.process.pid, cluster) for cluster in CLUSTERS]
    )
    assert are_in
    verdict(desk, orders)


@pytest.mark.parametrize("call", ["list", "look-up", pytest.param("download", marks=pytest.mark.cut)])
@pytest.mark.fault_case("worker", "the process killed that is in the middle of a call: {call}")
def test_the_process_at_work_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, call: str) -> None:
    desk, running = worker
    order_id = begin_slowly(desk, WORKS[call])
    at_work, _ = processes_of(running, WORKS[call].cluster)
    kill(at_work)
    assert WORKS[call].begun(desk), "it had come to its end before the kill"
    desk.align.clear_faults()
    until_in(desk, order_id)
    verdict(desk, [order_id])


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.fault_case("worker", "each other process of the cluster {cluster} killed while one is in a call")
def test_each_other_process_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, cluster: str) -> None:
    desk, running = worker
    for index in FROM_THE_END[1:]:
        order_id = begin_slowly(desk, WORK_OF[cluster])
        _, others = processes_of(running, cluster)
        kill(others[index])
        desk.align.clear_faults()
        until_in(desk, order_id)
        verdict(desk, [order_id])


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.fault_case("worker", "the supervisor killed and started again; busy: {busy}")
def test_the_supervisor_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, busy: bool) -> None:
    """As an init system does it; what the dead one left behind is ended before the new one begins."""
    desk, running = worker
    cluster_main(running.process.pid, "downloads")
    order_id = begin_slowly(desk, WORKS["download"]) if busy else ""
    running.process.kill()
    running.process.wait(10)
    running.start()
    desk.align.clear_faults()
    order_id = order_id or begins_to_come_in(desk)
    until_in(desk, order_id)
    verdict(desk, [order_id])
