"""What an annotation file says of its joints, for people and for other programs."""

from . import skeleton


def layout_meta(name: str) -> dict:
    """`joints` (`l_hip` for left_hip), `inward` as (child, parent), and `center`."""
    layout = skeleton(name)
    return dict(
        joints=[
            joint.replace("left_", "l_").replace("right_", "r_")
            for joint in layout.joints
        ],
        inward=list(layout.inward),
        center=layout.center,
    )
