import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from animoto.order import Order, parse_order
from cli.main import cloudkon_cli
from cloudkon.workload.task_line import parse_task

URLS = [f"https://h/{number}.jpg" for number in range(7)]


def generate(text: str, *options: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["generate", "animoto", "--urls", "-", *options], input=text)


def orders(answer: Result) -> list[Order]:
    assert answer.exit_code == 0, answer.stderr
    tasks = [parse_task(line) for line in answer.stdout.splitlines()]
    return [parse_order(*task.args, **task.kwargs) for task in tasks]


def test_a_list_of_urls_is_cut_into_videos_in_order() -> None:
    """A list is cut into videos in its order; the last has what is left; blanks and comments are no URLs."""
    text = "# mine\n\n" + "\r\n".join(URLS) + "\n  \n"
    assert [made.images for made in orders(generate(text, "--per-video", "3"))] == [
        tuple(URLS[:3]),
        tuple(URLS[3:6]),
        tuple(URLS[6:]),
    ]


def test_a_video_has_sixty_pictures_of_a_second_by_default() -> None:
    """A video has sixty pictures of a second each, with cuts."""
    made = orders(generate("".join(f"s3://pics/{number} \"'ü.jpg\n" for number in range(130))))
    assert [len(one.images) for one in made] == [60, 60, 10]
    assert made[0] == Order(made[0].images)
    assert made[2].images[-1] == "s3://pics/129 \"'ü.jpg"


def test_each_video_is_asked_for_as_the_options_say(tmp_path: Path) -> None:
    """Each video is asked for as the options say."""
    file = tmp_path / "urls.txt"
    file.write_text(URLS[0])
    command = ["generate", "animoto", "--urls", str(file), "--seconds", "2.5", "--transition", "fade"]
    answer = CliRunner().invoke(cloudkon_cli, command)
    assert json.loads(answer.stdout) == {
        "task": "animoto",
        "images": URLS[:1],
        "seconds": 2.5,
        "transition": "fade",
    }


def test_a_list_without_urls_makes_no_videos() -> None:
    """A list without URLs makes no videos."""
    assert orders(generate("# none\n")) == []


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("https://h/1\n\nhttp://me:pw@h:x/?k=v\n", [], "<stdin>:3: http://h:x/?k=...: this is no URL"),
        ("a.jpg\n", [], "<stdin>:1: a.jpg: only http, https and s3 URLs can be fetched."),
        ("https://h/1\n", ["--per-video", "0"], "--per-video"),
        ("https://h/1\n", ["--seconds", "0.5", "--transition", "fade"], "fade of 0.5 s is not shorter"),
        (f"https://h/{'a' * 7_000}\n" * 60, ["--per-video", "30"], "Put fewer into a video: --per-video 15"),
    ],
)
def test_an_impossible_url_is_refused_with_file_and_line(text: str, options: list[str], said: str) -> None:
    """What can't be made is wrong usage, with file and line, and nothing is written."""
    answer = generate(text, *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert said in answer.stderr


def test_a_file_that_is_no_text_is_no_list_of_urls(tmp_path: Path) -> None:
    """A file that is no text is no list of URLs."""
    file = tmp_path / "picture.jpg"
    file.write_bytes(b"\xff\xd8\xff")
    answer = CliRunner().invoke(cloudkon_cli, ["generate", "animoto", "--urls", str(file)])
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "it is not text in UTF-8" in answer.stderr
