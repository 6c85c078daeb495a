"""CloudKon runs workloads of many tasks on AWS: a file in S3, a task a line, each recorded once."""

from cloudkon.handlers.registry import Permanent, task

__all__ = ["Permanent", "task"]
