"""Makes the pictures in tests/files. Pillow is the judge of orientation and of JPEG's pixels.

python host/media/tests/files.py
"""

import io
import pathlib

from PIL import Image, ImageOps

FILES = pathlib.Path(__file__).parent / "files"
WIDTH, HEIGHT = 17, 13


def picture():
    """Every pixel another colour."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    image.putdata([(x * 15, y * 19, x * y * 5 % 256) for y in range(HEIGHT) for x in range(WIDTH)])
    return image


def save(image, name, **options):
    image.save(FILES / name, **options)


def pixels(name, image):
    """What a file of this name must decode to."""
    (FILES / f"{name}.rgb").write_bytes(image.convert("RGB").tobytes())


def main():
    FILES.mkdir(exist_ok=True)
    image = picture()

    # Formats that keep every pixel.
    save(image, "rgb.png")
    pixels("rgb", image)
    save(image, "rgb.bmp")
    save(image, "rgb.tif", compression="tiff_lzw")
    save(image, "rgb.webp", lossless=True)
    palette = image.quantize(256)
    save(palette, "palette.png")
    save(palette, "palette.gif", save_all=True, append_images=[Image.new("P", (WIDTH, HEIGHT), 7)])
    pixels("palette", palette)
    save(image.convert("L"), "grey.png")
    save(image.convert("L"), "grey.tif")
    transparent = image.convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    save(transparent, "rgba.png")
    save(transparent, "rgba.webp", lossless=True, exact=True)
    white = Image.new("RGBA", transparent.size, "white")
    pixels("rgba", Image.alpha_composite(white, transparent))
    pixels("grey", image.convert("L"))

    # JPEG of every kind, and what libjpeg makes of it.
    jpegs = {
        "420.jpg": (image, {"subsampling": "4:2:0"}),
        "422.jpg": (image, {"subsampling": "4:2:2"}),
        "444.jpg": (image, {"subsampling": "4:4:4"}),
        "progressive.jpg": (image, {"progressive": True}),
        "restart.jpg": (image, {"restart_marker_blocks": 1}),
        "luma.jpg": (image.convert("L"), {}),
        "print.jpg": (image.convert("CMYK"), {}),
    }
    for name, (source, options) in jpegs.items():
        save(source, name, quality=90, **options)
        with Image.open(FILES / name) as decoded:
            pixels(name.removesuffix(".jpg"), decoded)

    # One with loss, so that WebP's other decoder is cut and damaged as well.
    save(image, "lossy.webp", quality=90)

    # Every way to hold a camera. Three by two pixels, each another colour.
    small = Image.new("RGB", (3, 2))
    small.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)])
    upright = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for suffix, options in {"png": {}, "jpg": {"quality": 50}, "webp": {"lossless": True}, "tif": {}}.items():
            save(small, f"turned-{orientation}.{suffix}", exif=exif, **options)
        with Image.open(FILES / f"turned-{orientation}.png") as turned:
            turned = ImageOps.exif_transpose(turned)
            upright.append(f"{orientation} {turned.width} {turned.height} {turned.convert('RGB').tobytes().hex()}")
    (FILES / "upright.txt").write_text("\n".join(upright) + "\n")


main()
