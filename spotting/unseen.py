"""Test videos that there is nothing to look at in: no usable skeleton, or nobody in view. They get no segments."""

from miga.clips import Clips


def unseen_videos(clips: Clips) -> list[str]:
    """Ids of the test videos in which no joint of anybody is ever seen."""
    return [video_id for video_id in clips.videos.video_id[clips.videos.split == "test"] if not clips.is_seen(video_id)]


def describe_unseen(clips: Clips) -> list[str]:
    """A line that names them, where there are some."""
    ids = unseen_videos(clips)
    return [f"no segments in {len(ids)} test videos with nobody to look at: {', '.join(ids)}"] if ids else []
