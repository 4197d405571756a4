"""Find the RGB of a clip in any of the forms that are about.

For clip NNNN_i, in this order: a video NNNN_i, a folder of images NNNN_i, a video NNNN cut by the label file, a folder
of images NNNN numbered by the label's frames. For an SMG sequence: SampleNNNN_color.mp4. Where in the tree it lies does
not matter, the name decides.
"""

from collections.abc import Collection
from pathlib import Path

from miga.errors import InputError
from recordings.frames import list_images, probe
from recordings.listing import VIDEO_SUFFIXES, Entry
from recordings.recording import Problems, Recording, Segment


class RgbFiles:
    """An index of videos by name without suffix and of image folders by name."""

    def __init__(self, entries: list[Entry]):
        self._videos: dict[str, list[Path]] = {}
        self._folders: dict[str, list[Path]] = {}
        for entry in entries:
            if entry.is_frame_folder:
                self._folders.setdefault(entry.name, []).append(entry.path)
            elif entry.path.suffix.lower() in VIDEO_SUFFIXES:
                self._videos.setdefault(entry.path.stem, []).append(entry.path)

    def __len__(self) -> int:
        return len(self._videos) + len(self._folders)

    def find(self, name: str) -> Path | None:
        """The one video or image folder of that name, None if there is none.

        Raises:
            InputError: there are two, and which one is meant cannot be known.
        """
        paths = self._videos.get(name) or self._folders.get(name) or []
        if len(paths) > 1:
            raise InputError(f"{paths[0]} and {paths[1]}: two RGB sources named {name}; remove one of them")
        return paths[0] if paths else None

    def find_video(self, video_id: str) -> Path | None:
        """RGB of a whole recording."""
        return self.find(video_id) or self.find(f"{video_id}_color")

    def find_clips(self, recording: Recording, problems: Problems) -> dict[str, tuple[str, int]]:
        """Clip id -> (path, index in it of the clip's first frame), for the clips that have RGB long enough.

        A clip whose video is broken or too short is reported; a clip without any RGB, or of no frames, is simply not
        in the result.
        """
        found: dict[str, tuple[str, int]] = {}
        whole = self.find_video(recording.video_id)
        path2indexes: dict[Path, Collection[int]] = {}
        for segment in recording.segments:
            if not segment.num_frames:
                continue
            try:
                own = self.find(segment.clip_id)
                path = own or whole
                if path is None:
                    continue
                if path not in path2indexes:
                    num_frames = probe(path).num_frames  # also decodes the first of a folder of images
                    path2indexes[path] = list_images(path) if path.is_dir() else range(num_frames)
                # Images of one clip may be numbered from 0, or go on with the video's own numbers.
                start = min(path2indexes[path]) if own else segment.start_frame
                _check_frames(path, path2indexes[path], segment, start)
            except InputError as error:
                problems.unusable(recording.split, segment.clip_id, str(error))
                continue
            found[segment.clip_id] = (str(path), start)
        return found


def _check_frames(path: Path, indexes: Collection[int], segment: Segment, start: int) -> None:
    """Raise InputError when the RGB at `path`, which has the frames `indexes`, lacks one that the clip needs."""
    for index in range(start, start + segment.num_frames):
        if index not in indexes:
            raise InputError(
                f"{path}: {len(indexes)} frames, but clip {segment.clip_id} needs frames {start} to "
                f"{start + segment.num_frames - 1} and {index} is not there; copy it again or correct the label row"
            )
