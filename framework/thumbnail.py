"""Small pictures from pictures of the web. The only owner of Pillow.

A shop's picture is untrusted bytes: told by its magic bytes, decoded under a limit of pixels, and written anew, so
that nothing but the drawn picture (no metadata, no second file hidden behind it) reaches the browser.
"""

from __future__ import annotations

import io
import warnings

SIDE = 320  # pixels, at most, of the longer side
MEDIA_TYPE = "image/webp"
_MOST_PIXELS = 24_000_000  # of the original; a decoded one takes four bytes each
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def thumbnail(data: bytes) -> bytes | None:
    """The picture in small, as WebP; ``None`` where the bytes are no JPEG, PNG, WebP or GIF of a bearable size."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            warnings.simplefilter("ignore")
            if picture.width * picture.height > _MOST_PIXELS:
                return None
            picture.draft("RGB", (2 * SIDE, 2 * SIDE))  # JPEG decodes at a fraction of its size
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SIDE, SIDE))
            small = io.BytesIO()
            upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB").save(
                small, "WEBP", quality=82
            )
            return small.getvalue()
    except Exception:  # noqa: BLE001 - decoders of hostile bytes raise anything; a picture that fails is no picture
        return None
