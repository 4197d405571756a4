"""Random segments for the tests of this room."""

from hypothesis import strategies as st

from spotting.segments import Segments, make_segments


@st.composite
def segment_lists(draw, max_size: int = 8, num_classes: int = 3, last_frame: int = 60) -> Segments:
    """Up to `max_size` segments in whole frames, any overlap, scores with ties."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, last_frame - 1),
                st.integers(1, 30),
                st.integers(0, num_classes - 1),
                st.sampled_from([0.1, 0.25, 0.5, 0.5, 0.9]),
            ),
            max_size=max_size,
        )
    )
    start = [row[0] for row in rows]
    return make_segments(start, [row[0] + row[1] for row in rows], [row[2] for row in rows], [row[3] for row in rows])
