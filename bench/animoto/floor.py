"""What no way can go below that encodes each picture once: decode it, convert its range, encode it; write nothing.

python -m bench.animoto.floor FILE ...
"""

import sys
from pathlib import Path

from animoto.canvas import Canvas
from animoto.h264.intra import IntraEncoder
from animoto.pictures import frame_of
from animoto.video import VideoSpec


def main() -> None:
    canvas, encoder = Canvas(), IntraEncoder(VideoSpec().qp)
    for number, path in enumerate(sys.argv[1:]):
        encoder.encode(frame_of(Path(path).read_bytes(), canvas), number)


if __name__ == "__main__":
    main()
