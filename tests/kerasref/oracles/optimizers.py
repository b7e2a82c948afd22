"""`optimizers`: what torch says is in test_optimizers.py, because a state cannot cross to it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
batch_gradient_descent(theta,gradient,data,learning_rate,epochs) minibatches(x,y,batch_size,rng)
sgd_step(theta,grad,state,learning_rate=0.01)
momentum_step(theta,grad,state,learning_rate=0.01,momentum=0.9)
nesterov_step(theta,grad,state,learning_rate=0.01,momentum=0.9)
adagrad_step(theta,grad,state,learning_rate=0.001,epsilon=1e-07)
adadelta_step(theta,grad,state,learning_rate=0.001,rho=0.95,epsilon=1e-07)
rmsprop_step(theta,grad,state,learning_rate=0.001,rho=0.9,epsilon=1e-07)
adam_step(theta,grad,state,learning_rate=0.001,beta_1=0.9,beta_2=0.999,epsilon=1e-07)
"""

CALLS: dict[str, str] = {}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ()
