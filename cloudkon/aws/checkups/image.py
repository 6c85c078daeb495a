"""The workers' image: that one is named, and that it is there to be started from."""

from collections.abc import Iterator

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.checkup import Finding, absent, ok, problem
from cloudkon.errors import NotFoundError


def check_image(subject: Subject) -> Iterator[Finding]:
    name = subject.names.image_parameter
    build = f"cloudkon-cli workers image build --stage {subject.names.stage}"
    try:
        with translated(f"read the parameter {name}"):
            image = subject.session.ssm().get_parameter(Name=name)["Parameter"]["Value"]
    except NotFoundError:
        yield problem("image", f"There is no parameter {name}.", f"cloudkon-cli stack up --stage {subject.names.stage}")
        return
    if not image.startswith("ami-"):
        yield absent("image", "No image of a worker has been built yet: machines can't be started from one.", build)
        return
    try:
        with translated(f"describe the image {image}"):
            found = subject.session.ec2().describe_images(ImageIds=[image])["Images"]
    except NotFoundError:
        found = []
    if not found:
        yield problem("image", f"{name} names {image}, which is gone.", build)
    elif found[0].get("State") != "available":
        yield problem("image", f"{image} is {found[0].get('State')}.", f"Wait, or build another: {build}")
    else:
        yield ok("image", f"{image}, made {found[0].get('CreationDate', 'at some time')}")
