"""The workers' image: that one is named, and that it is there to be started from."""

from collections.abc import Iterator

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.machines.amis import Images
from cloudkon.stage.checkup import CheckResult, absent, ok, problem


def check_image(subject: Subject) -> Iterator[CheckResult]:
    names, images = subject.names, Images(subject.session.ec2(), subject.session.ssm(), subject.names)
    build = f"cloudkon-cli workers image build --stage {names.stage}"
    current = images.current()
    if current is None:
        yield absent("image", "No image of a worker has been built yet: machines can't be started from one.", build)
        return
    found = images.find(current)
    if found is None:
        yield problem("image", f"{names.image_parameter} names {current}, which is gone.", build)
    elif found.state != "available":
        yield problem("image", f"{current} is {found.state}.", f"Wait, or build another: {build}")
    else:
        yield ok("image", f"{current}, made {found.created or 'at some time'}")
