import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from animoto.order import Order, parse_order
from cli.main import cloudkon_cli
from cloudkon.local.store import FolderStore
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
        ("a.jpg\n", [], "<stdin>:1: a.jpg: only http, https and s3 URLs can be fetched; a file is read by run LOCAL"),
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


@pytest.fixture
def holiday(tmp_path: Path) -> Path:
    """A folder of three names."""
    for name in ("IMG 2.jpg", "IMG 10.jpg", "a.PNG", "b.heic"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def test_a_folder_of_pictures_becomes_one_video(holiday: Path) -> None:
    """All of its pictures are in one video, as absolute paths in the order of their names; others are told of."""
    answer = CliRunner().invoke(cloudkon_cli, ["generate", "animoto", "--pictures", str(holiday)])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["images"] == [str(holiday / name) for name in ("a.PNG", "IMG 2.jpg", "IMG 10.jpg")]
    assert answer.stderr == "Left out, because their kind is not read: b.heic.\n"


def test_pictures_are_uploaded_first_for_workers_elsewhere(holiday: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each picture becomes an object, and the workload has its URL; pictures of one name do not collide."""
    bucket = holiday / "bucket"
    below = holiday / "below"
    below.mkdir()
    (below / "a.PNG").write_bytes(b"another")
    asked = []

    class Cloud:
        def bucket(self, name: str) -> FolderStore:
            asked.append(name)
            return FolderStore(bucket)

    monkeypatch.setattr("cli.upload_pictures.cloud", lambda *_: Cloud())
    words = ["--pictures", str(holiday), "--pictures", str(below), "--upload", "s3://my-pictures/june"]
    answer = CliRunner().invoke(cloudkon_cli, ["generate", "animoto", *words])
    assert answer.exit_code == 0, answer.output
    [made] = orders(answer)
    assert asked == ["my-pictures"]
    assert len(set(made.images)) == 4
    stored = [bucket / url.removeprefix("s3://my-pictures/") for url in made.images]
    assert [path.read_bytes() for path in stored] == [b"a.PNG", b"IMG 2.jpg", b"IMG 10.jpg", b"another"]
    assert all(url.startswith("s3://my-pictures/june/") for url in made.images)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Name the pictures: --urls FILE, or --pictures FOLDER."),
        (["--urls", "-", "--pictures", "."], "Name the pictures"),
        (["--urls", "-", "--upload", "s3://my-pictures/june"], "--upload is for --pictures"),
        (["--pictures", "none"], "does not exist"),
        (["--pictures", "HOLIDAY", "--upload", "http://h/x"], "write s3://BUCKET/PREFIX"),
        (["--pictures", "HOLIDAY", "--upload", "s3://X"], "write s3://BUCKET/PREFIX"),
    ],
)
def test_pictures_are_named_in_one_way(holiday: Path, words: list[str], said: str) -> None:
    """What is missing or contradicts itself is wrong usage."""
    words = [str(holiday) if word == "HOLIDAY" else word for word in words]
    answer = CliRunner().invoke(cloudkon_cli, ["generate", "animoto", *words])
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert said in answer.stderr
