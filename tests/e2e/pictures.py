"""Pictures as tests compare them: loaded from PPM, cut, compared pixel by pixel."""


class Picture:
    """24-bit pixels, rows from the top."""

    def __init__(self, width, height, pixels):
        assert len(pixels) == width * height * 3, (width, height, len(pixels))
        self.width, self.height, self.pixels = width, height, pixels

    @classmethod
    def load(cls, path):
        with open(path, "rb") as file:
            data = file.read()
        fields, position = [], 0
        while len(fields) < 4:
            while data[position:position + 1].isspace():
                position += 1
            start = position
            while not data[position:position + 1].isspace():
                position += 1
            fields.append(data[start:position])
        assert fields[0] == b"P6" and fields[3] == b"255", fields
        return cls(int(fields[1]), int(fields[2]), data[position + 1:])

    @classmethod
    def load_png(cls, path):
        """A PNG by way of ImageMagick, which is not our code."""
        import subprocess
        import tempfile
        with tempfile.NamedTemporaryFile(suffix=".ppm") as ppm:
            subprocess.run(["convert", str(path), "-depth", "8", "ppm:" + ppm.name], check=True)
            return cls.load(ppm.name)

    def save(self, path):
        with open(path, "wb") as file:
            file.write(b"P6\n%d %d\n255\n" % (self.width, self.height) + self.pixels)

    def pixel(self, x, y):
        at = (y * self.width + x) * 3
        return tuple(self.pixels[at:at + 3])

    def row(self, y, left=0, right=None):
        right = self.width if right is None else right
        return self.pixels[(y * self.width + left) * 3:(y * self.width + right) * 3]

    def crop(self, left, top, right, bottom):
        rows = b"".join(self.row(y, left, right) for y in range(top, bottom))
        return Picture(right - left, bottom - top, rows)

    def colours(self):
        """How many different colours: 1 means nothing is on it."""
        return len({self.pixels[i:i + 3] for i in range(0, len(self.pixels), 3 * 7)})

    def difference(self, other, ignore=()):
        """The rectangle (left, top, right, bottom) that holds all differing pixels outside of `ignore`, or None."""
        if (self.width, self.height) != (other.width, other.height):
            return (0, 0, max(self.width, other.width), max(self.height, other.height))
        box = None
        for y in range(self.height):
            if self.row(y) == other.row(y):
                continue
            for x in range(self.width):
                if self.pixel(x, y) == other.pixel(x, y):
                    continue
                if any(left <= x < right and top <= y < bottom for left, top, right, bottom in ignore):
                    continue
                box = (x, y, x + 1, y + 1) if box is None else (
                    min(box[0], x), min(box[1], y), max(box[2], x + 1), max(box[3], y + 1))
        return box
