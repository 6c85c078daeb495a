"""What a worker writes down for each job."""

from cloudkon.ledger.fleet import Instance
from cloudkon.ledger.job import WorkerReport
from cloudkon.telemetry.metering import Meter
from ec2_worker.telemetry.job_counters import JobCounters
from tests.support.still_clock import StillClock


class _Jobs:
    """Keeps the reports."""

    def __init__(self) -> None:
        self.reports: list[WorkerReport] = []

    def report_worker(self, report: WorkerReport) -> None:
        self.reports.append(report)


def test_a_report_names_the_instance_once_it_is_known() -> None:
    """The instance tells what it is some time after the worker began: later reports have it, as what it costs needs."""
    jobs, node = _Jobs(), Instance("i-1", "c7g.large", "eu-central-1a", "spot")
    counters = JobCounters(jobs, "w1", 4, Meter(), StillClock())  # type: ignore[arg-type]  # it needs one verb of Jobs
    counters.claimed("a-job")
    counters.flush()
    counters.instance = lambda: node
    counters.claimed("a-job")
    counters.flush()
    assert [report.instance for report in jobs.reports] == [None, node]
