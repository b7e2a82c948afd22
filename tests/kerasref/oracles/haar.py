"""`haar` in torch, as far as torch goes; test_haar.py has OpenCV, scikit-image and scikit-learn for the rest."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
integral_image(image)
rectangle_sum(integral,x,y,w,h)
haar_feature(integral,kind,x,y,w,h)
haar_features(image,window,step=1)
train_stump(features,labels,weights)
adaboost(features,labels,rounds)
predict_adaboost(model,features)
train_cascade(features,labels,stages,rounds,min_detection_rate)
cascade_predict(stages,features)
detect_multiscale(image,classify,window,scale=1.25,step=2)
"""

PIXELS = "integral.diff(dim=0).diff(dim=1)[y:y + h, x:x + w]"
CALLS = {
    "integral_image": "F.pad(image.cumsum(0).cumsum(1), (1, 0, 1, 0))",
    "rectangle_sum": f"{PIXELS}.sum()",
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for height, width in [(1, 1), (3, 5), (6, 4)]:
        image = rng.normal(size=(height, width))
        yield "integral_image", {"image": image}
        integral = np.pad(image.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = int(rng.integers(1, width - x + 1)), int(rng.integers(1, height - y + 1))
        yield "rectangle_sum", {"integral": integral, "x": x, "y": y, "w": w, "h": h}
