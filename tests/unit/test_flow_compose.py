"""Flows are compiled into steps that know what follows them; results are filled in where they are taken."""

from __future__ import annotations

import msgspec
import pytest
from saq.job import Status

from quarterdeck import App, branch, chain, chord, group, saga
from quarterdeck.errors import UsageError
from quarterdeck.flow.compose import case_of, certain, compiled
from quarterdeck.flow.following import follow_of, job_of, steps_after
from quarterdeck.flow.step import META, Step

app = App("flows", queues=("a", "b"))


@app.task
def add(x: int, y: int = 1) -> int:
    return x + y


@app.task(queue="b")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task
def undo(number: int) -> None: ...


def run_all(flow, results=None, failing=()):
    """Run a flow as the finishing script would, without a server: each job's kwargs by function, in order."""
    results = results or {}
    ran, groups = [], {}
    waiting = [job_of(step) for step in compiled(flow)]
    while waiting:
        job = waiting.pop(0)
        ran.append((job.function, job.kwargs))
        status = Status.FAILED if job.function in failing else Status.COMPLETE
        result = results.get(job.function, sum(v for v in job.kwargs.values() if isinstance(v, int)))
        for kind, *rest in steps_after(job, status, result, now_ms=1000):
            if kind == "enqueue":
                waiting.append(decoded(rest))
                continue
            name, index, result_json, size, placeholder, *parts = rest
            members = groups.setdefault(name, {})
            members[int(index)] = result_json
            if len(members) == size:
                every = b"[" + b",".join(members[i] for i in range(size)) + b"]"
                waiting += [decoded((q, key, body.replace(placeholder, every), due)) for q, key, body, due in parts]
    return ran


def decoded(parts):
    queue, key, payload, due = parts
    fields = msgspec.json.decode(payload)
    assert (fields.pop("queue"), fields["key"], fields.pop("status")) == (queue, key, "queued")
    assert due == str(fields.get("scheduled", 0))
    job = job_of(Step(function=fields["function"], queue=queue, kwargs=fields["kwargs"], key=key))
    job.meta = fields.get("meta", {})
    return job


class TestChain:
    def test_each_step_takes_the_result_of_the_one_before_it(self):
        flow = chain(add.step(1, 2), add.step(y=10), add.step())
        assert run_all(flow) == [("add", {"x": 1, "y": 2}), ("add", {"y": 10, "x": 3}), ("add", {"x": 13})]

    def test_a_step_with_all_its_arguments_takes_nothing(self):
        assert run_all(chain(add.step(1, 2), add.step(5, 5))) == [("add", {"x": 1, "y": 2}), ("add", {"x": 5, "y": 5})]

    def test_a_failure_stops_it(self):
        assert run_all(chain(undo.step(1), add.step()), failing={"undo"}) == [("undo", {"number": 1})]

    def test_a_job_that_nothing_follows_carries_nothing(self):
        (step,) = compiled(chain(add.step(1)))
        assert job_of(step).meta == {}
        assert steps_after(job_of(step), Status.COMPLETE, 1, now_ms=0) == []

    def test_every_step_has_a_key_before_anything_is_sent(self):
        flow = chain(add.step(1), add.step(), total.step())
        keys = [step.key for step in certain(compiled(flow))]
        assert len(set(keys)) == 3
        assert all(keys)


class TestGroup:
    def test_a_chord_gathers_the_results_in_the_order_of_its_parts(self):
        flow = chord([add.step(1), add.step(2), add.step(3)], total.step())
        assert run_all(flow)[-1] == ("total", {"numbers": [1, 2, 3]})

    def test_a_group_in_the_middle_of_a_chain(self):
        flow = chain(add.step(1, 1), group(add.step(y=1), add.step(y=2)), total.step(), add.step())
        ran = run_all(flow, results={"total": 7})
        assert ran[1:3] == [("add", {"y": 1, "x": 2}), ("add", {"y": 2, "x": 2})]
        assert ran[3:] == [("total", {"numbers": [3, 4]}), ("add", {"x": 7})]

    def test_chains_side_by_side(self):
        flow = chord([chain(add.step(1, 1), add.step(y=1)), add.step(9, 0)], total.step())
        assert run_all(flow)[-1] == ("total", {"numbers": [3, 9]})

    def test_the_certain_steps_are_all_named_once_the_last_last(self):
        flow = chain(group(add.step(1), chain(add.step(2), add.step())), total.step())
        assert [step.function for step in certain(compiled(flow))] == ["add", "add", "add", "total"]

    def test_a_group_that_ends_in_a_group_is_refused(self):
        with pytest.raises(UsageError, match="inside another group"):
            compiled(chord([group(add.step(1), add.step(2))], total.step()))

    def test_what_is_no_step_is_refused(self):
        with pytest.raises(UsageError, match=r"Write task\.step"):
            chain(add)
        with pytest.raises(UsageError, match="at least one"):
            group()


class TestBranch:
    @pytest.mark.parametrize(("result", "then"), [(True, ("undo", {"number": 5})), ("big", ("add", {"x": 7, "y": 7}))])
    def test_the_result_chooses(self, result, then):
        flow = branch(add.step(1), {True: undo.step(5), "big": add.step(7, 7)})
        assert run_all(flow, results={"add": result})[1] == then

    def test_without_a_case_otherwise_follows_and_takes_the_result(self):
        flow = branch(add.step(1), {"big": add.step(7, 7)}, otherwise=undo.step())
        assert run_all(flow, results={"add": 3})[1] == ("undo", {"number": 3})

    def test_what_comes_after_a_branch_comes_after_its_case(self):
        flow = chain(branch(add.step(1), {"5": undo.step()}), total.step())
        assert [name for name, _ in run_all(flow, results={"add": 5, "undo": [1]})] == ["add", "undo", "total"]
        assert [name for name, _ in run_all(flow, results={"add": 6})] == ["add", "total"]

    def test_one_is_not_true(self):
        assert (case_of(True), case_of(1), case_of(None), case_of("x"), case_of([1])) == ("true", "1", "none", "x", "")


class TestSaga:
    def test_what_was_done_is_undone_the_latest_first_with_its_own_result(self):
        flow = saga(
            (add.step(1, 1), undo.step()),
            (add.step(y=10), undo.step()),
            (total.step([1]), undo.step()),
            (add.step(0), None),
        )
        ran = run_all(flow, failing={"total"})
        assert ran[2:] == [("total", {"numbers": [1]}), ("undo", {"number": 12}), ("undo", {"number": 2})]

    def test_a_saga_that_works_undoes_nothing(self):
        flow = chain(saga((add.step(1), undo.step()), (add.step(), None)), total.step())
        assert [name for name, _ in run_all(flow)] == ["add", "add", "total"]

    def test_its_first_step_has_nothing_to_undo(self):
        assert run_all(saga((undo.step(1), undo.step(2))), failing={"undo"}) == [("undo", {"number": 1})]


def test_a_damaged_description_is_an_error_that_says_so():
    job = job_of(add.step(1))
    job.meta = {META: {"then": "nonsense"}}
    with pytest.raises(msgspec.ValidationError, match="Expected `array`"):
        follow_of(job)
