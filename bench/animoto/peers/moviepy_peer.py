"""The same fades by moviepy, run by the Python that has it: moviepy_peer.py OUT FILE ..."""

import sys

from moviepy import CompositeVideoClip, ImageClip, vfx  # type: ignore[import-not-found]

FADE_S = 0.5


def main() -> None:
    out, *paths = sys.argv[1:]
    clips = []
    for number, path in enumerate(paths):
        start_s = number - FADE_S if number else 0
        clip = ImageClip(path).with_start(start_s).with_duration(number + 1 - start_s)
        clips.append(clip.with_effects([vfx.CrossFadeIn(FADE_S)]) if number else clip)
    CompositeVideoClip(clips).write_videofile(
        out, fps=30, audio=False, logger=None, ffmpeg_params=["-movflags", "+faststart"]
    )


if __name__ == "__main__":
    main()
