import pytest

from animoto.picture.broken import Broken, BrokenPictureError, OnBroken, select_usable

GONE = Broken(1, "http://h/1.jpg", "the server answered 404 Not Found")
DOWN = Broken(3, "http://h/3.jpg", "the server fell silent", temporary=True)


def test_the_first_broken_picture_fails_the_video() -> None:
    """The first broken picture ends it, with its number, URL and reason."""
    pictures = select_usable(["a", GONE, "b", DOWN], OnBroken.FAIL, [])
    assert next(pictures) == "a"
    with pytest.raises(BrokenPictureError, match=r"^picture 2, http://h/1.jpg: the server answered 404") as caught:
        next(pictures)
    assert not caught.value.temporary


def test_fail_for_now() -> None:
    """Whether another try may go better is told."""
    with pytest.raises(BrokenPictureError) as caught:
        list(select_usable([DOWN], OnBroken.FAIL, []))
    assert caught.value.temporary


def test_broken_pictures_are_skipped_and_noted() -> None:
    """Broken pictures are left out, and noted."""
    skipped: list[Broken] = []
    assert list(select_usable(["a", GONE, "b", DOWN], OnBroken.SKIP, skipped)) == ["a", "b"]
    assert skipped == [GONE, DOWN]


@pytest.mark.parametrize(("pictures", "temporary"), [([GONE], False), ([GONE, DOWN], True)])
def test_no_video_is_made_of_no_pictures(pictures: list[str | Broken], temporary: bool) -> None:  # noqa: FBT001
    """No video is made of no pictures."""
    with pytest.raises(BrokenPictureError, match=r"none of the \d pictures .* picture 2, http://h/1.jpg") as caught:
        list(select_usable(pictures, OnBroken.SKIP, []))
    assert caught.value.temporary is temporary
