"""Parameters that name a machine image, as AWS keeps them: checked after they were put, and seen only once they are.

"Systems Manager performs an asynchronous validation operation ... PutParameter returns 200 before it has ended":
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
A template takes no other parameter: "Unsupported data type. The following parameter data types are supported:
aws:ec2:image", SsmInvalidParameter (github.com/aws/aws-cdk/issues/26712, cdk-image-pipeline/issues/290).
The data type of a parameter that is there can't be changed (github.com/bottlerocket-os/bottlerocket/issues/2599).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

RESOLVED = "resolve:ssm:"
IMAGE_TYPE = "aws:ec2:image"
_UNSEEN_READS = 2
"""How often a parameter is asked for in vain before its validation has ended."""


class SsmInvalidParameterError(Exception):
    """EC2 refuses a launch template, or a launch, over the parameter that is to name its image."""


@dataclass(slots=True)
class _Put:
    image: str
    act: Callable[[], object]
    unseen: int = _UNSEEN_READS


@dataclass(slots=True)
class ImageParameters:
    """Stands before an emulator's own parameters, which know no validation."""

    is_image: Callable[[str], bool]
    """Whether EC2 has an image of this id that can be used."""
    _puts: dict[str, _Put] = field(default_factory=dict)

    def put(self, name: str, value: str, act: Callable[[], object]) -> None:
        """Let a put be done once it has been validated; one of no image is forgotten without a word."""
        self._puts[name] = _Put(value, act)

    def look(self, name: str) -> None:
        """Somebody reads a parameter."""
        found = self._puts.get(name)
        if found is None:
            return
        found.unseen -= 1
        if found.unseen < 0:
            del self._puts[name]
            if self.is_image(found.image):
                found.act()


def resolved(image: str, parameter: Callable[[str], Mapping[str, Any] | None], is_image: Callable[[str], bool]) -> str:
    """The image that a template names, by a parameter or itself; raise SsmInvalidParameterError as EC2 does."""
    if not image.startswith(RESOLVED):
        return image
    name = image.removeprefix(RESOLVED)
    found = parameter(name)
    if found is None:
        raise SsmInvalidParameterError(f"Parameter {name} is not found")
    if found.get("DataType", "text") != IMAGE_TYPE:
        raise SsmInvalidParameterError(
            f"Unsupported data type. The following parameter data types are supported: {IMAGE_TYPE}"
        )
    value = str(found["Value"])
    if not is_image(value):
        raise SsmInvalidParameterError(f"Invalid image id in the parameter {name}: {value}")
    return value
