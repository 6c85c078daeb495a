"""Bodies that a server compressed unasked are unpacked, in pieces."""

import gzip
import random

from hypothesis import given
from hypothesis import strategies as st

from animoto.download.content_encoding import decode, decode_end, decoders
from animoto.download.fetch_error import FetchError


@given(st.binary(max_size=400), st.sampled_from(["gzip", "deflate", "gzip, deflate"]), st.integers(1, 50))
def test_any_bytes_are_decoded_or_refused(noise: bytes, header: str, step: int) -> None:
    """Whatever a body that is called compressed holds, it is bytes or a reason, however it is cut."""

    def decoded(size: int) -> bytes | str:
        chain = decoders(header)
        try:
            parts = [b"".join(decode(noise[at : at + size], chain)) for at in range(0, len(noise), size)]
            return b"".join([*parts, *decode_end(chain)])
        except FetchError as error:
            return str(error)

    assert decoded(step) == decoded(len(noise) or 1)


def test_pieces_are_bounded() -> None:
    """However much a chunk unpacks to, it comes in pieces."""
    packed = gzip.compress(random.Random(3).randbytes(300_000) + bytes(3_000_000))
    assert max(map(len, decode(packed, decoders("gzip")))) <= 65_536
