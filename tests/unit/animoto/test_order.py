import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from animoto.order import Order, OrderError, parse_order
from animoto.picture.broken import OnBroken
from animoto.picture.letterbox import Background
from animoto.video import Engine, Transition
from cloudkon.workload.task_line import parse_task

URL = "https://h/1.jpg"


def read(line: str) -> Order:
    """As the registry calls a handler."""
    task = parse_task(line)
    assert task.name == "animoto"
    return parse_order(*task.args, **task.kwargs)


def test_words_are_urls_of_a_second_each() -> None:
    """Words are URLs; a second each, cuts between them."""
    made = read(f"animoto {URL} s3://pics/2.png 'https://h/a\"b.jpg'")
    assert made == Order((URL, "s3://pics/2.png", 'https://h/a"b.jpg'))
    assert (made.seconds, made.transition, made.engine) == (1.0, Transition.CUT, Engine.AUTO)
    assert (made.background, made.broken) == (Background.BLUR, OnBroken.FAIL)


def test_every_key_of_json_has_its_meaning() -> None:
    """Every key of JSON has its meaning; null is as if it were not there."""
    asked = {
        "task": "animoto",
        "id": "holiday",
        "images": [URL],
        "seconds": 2.5,
        "transition": "fade",
        "fade_seconds": 0.1,
        "pan_zoom": True,
        "title": "Übersee",
        "audio": "s3://music/a.mp3",
        "background": "black",
        "broken": "skip",
        "engine": "encode",
    }
    made = Order(
        images=(URL,),
        seconds=2.5,
        transition=Transition.FADE,
        fade_seconds=0.1,
        pan_zoom=True,
        title="Übersee",
        audio="s3://music/a.mp3",
        background=Background.BLACK,
        broken=OnBroken.SKIP,
        engine=Engine.ENCODE,
    )
    assert read(json.dumps(asked)) == made
    assert read(json.dumps({"task": "animoto", "args": [URL], "title": None, "seconds": None})) == Order((URL,))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "no pictures: write animoto URL URL"),
        ({"images": []}, "no pictures"),
        ({"images": URL}, '"images" is not a list'),
        ({"images": [URL, 7]}, "picture 2 is not a URL"),
        ({"images": [URL, "ftp://me:pw@h/x?s=1"]}, r"picture 2, ftp://h/x\?s=...: only http, https and s3"),
        ({"args": [URL], "images": [URL]}, "given twice"),
        ({"images": [URL], "second": 1}, 'unknown key "second"; is "seconds" meant?'),
        ({"images": [URL], "quux": 1}, 'unknown key "quux"; the keys are: task, id, images, seconds'),
        ({"images": [URL], "seconds": "1"}, '"seconds" is not a number'),
        ({"images": [URL], "seconds": True}, '"seconds" is not a number'),
        ({"images": [URL], "seconds": 1e999}, '"seconds" is not a number'),
        ({"images": [URL], "seconds": 0}, '"seconds" is 0, and may be 0.1 to 600'),
        ({"images": [URL], "seconds": 601}, '"seconds" is 601, and may be 0.1 to 600'),
        ({"images": [URL], "fade_seconds": -1}, '"fade_seconds" is -1, and may be 0 to 600'),
        ({"images": [URL], "pan_zoom": 1}, '"pan_zoom" is true or false'),
        ({"images": [URL], "transition": "wipe"}, "\"transition\" is one of cut, fade, not 'wipe'"),
        ({"images": [URL], "transition": ["cut"]}, '"transition" is one of cut, fade'),
        ({"images": [URL], "transition": "fade", "fade_seconds": 1}, "fade of 1 s is not shorter"),
        ({"images": [URL], "title": "a\nb"}, '"title" is a line of text'),
        ({"images": [URL], "title": "a" * 201}, '"title" is a line of text'),
        ({"images": [URL], "title": 7}, '"title" is a line of text'),
        ({"images": [URL], "audio": "music.mp3"}, '"audio", music.mp3: only http'),
        ({"images": [URL] * 25, "seconds": 600}, "longer than 4 hours"),
    ],
)
def test_an_impossible_order_is_refused_with_place_and_reason(options: dict[str, Any], reason: str) -> None:
    """What can't be made is refused, with its place and reason."""
    with pytest.raises(OrderError, match=reason.replace("?", r"\?") if "meant" in reason else reason):
        parse_order(*options.pop("args", ()), **options)


@given(
    st.dictionaries(
        st.sampled_from([*Order.__dataclass_fields__, "other"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just(URL),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    )
)
def test_any_json_is_an_order_or_a_reason_in_one_line(options: dict[str, Any]) -> None:
    """Whatever JSON comes, it is an order or a reason in one line."""
    try:
        made = parse_order(URL, **options)
    except OrderError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert made.images == (URL,)
