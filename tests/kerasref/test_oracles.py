"""Every reference that torch has too agrees with torch to 1e-12, live where torch is and recorded everywhere."""

import importlib
import inspect

import pytest

from tests.kerasref.oracles import ASSIGNMENTS, assert_agrees, cases, recorded, torch_call, torch_value


def reference(assignment, function):
    return getattr(importlib.import_module(f"kerasref.{assignment}"), function)


FUNCTIONS = [
    pytest.param(assignment, function, id=f"{assignment}.{function}")
    for assignment in ASSIGNMENTS
    for function in importlib.import_module(f"tests.kerasref.oracles.{assignment}").CALLS
]


@pytest.mark.parametrize(("assignment", "function"), FUNCTIONS)
def test_agrees_with_recorded_torch(assignment, function):
    tried = [entry for entry in recorded(assignment) if entry[0] == function]
    assert tried
    for _, arguments, expected in tried:
        assert_agrees(reference(assignment, function)(**arguments), expected, arguments)


@pytest.mark.parametrize(("assignment", "function"), FUNCTIONS)
def test_agrees_with_torch(assignment, function):
    pytest.importorskip("torch")
    for seed in range(5):
        for name, arguments in cases(assignment, seed):
            if name == function:
                expected = torch_value(torch_call(assignment, function), arguments)
                assert_agrees(reference(assignment, function)(**arguments), expected, arguments)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_recorded_values_are_what_torch_says(assignment):
    pytest.importorskip("torch")
    for function, arguments, expected in recorded(assignment):
        assert_agrees(torch_value(torch_call(assignment, function), arguments), expected, function)


SIGNATURES = {
    "activations": """
        sigmoid(x) sigmoid_grad(x) tanh(x) tanh_grad(x) relu(x) relu_grad(x)
        leaky_relu(x,negative_slope=0.01) leaky_relu_grad(x,negative_slope=0.01)
        elu(x,alpha=1.0) elu_grad(x,alpha=1.0) softplus(x) softplus_grad(x)
        softmax(x,axis=-1) softmax_backward(upstream,x,axis=-1)
    """,
    "losses": """
        l1_loss(y_true,y_pred) l2_loss(y_true,y_pred) mean_absolute_error(y_true,y_pred)
        mean_squared_error(y_true,y_pred) mean_squared_error_grad(y_true,y_pred)
        linear_regression_cost(theta,x,y) linear_regression_grad(theta,x,y)
        huber(y_true,y_pred,delta=1.0) huber_grad(y_true,y_pred,delta=1.0) hinge(y_true,y_pred)
        cross_entropy(y_true,probabilities)
        sigmoid_cross_entropy(y_true,logits) sigmoid_cross_entropy_grad(y_true,logits)
        softmax_cross_entropy(y_true,logits) softmax_cross_entropy_grad(y_true,logits)
        total_variation(images) gram_matrix(features) style_loss(style,generated) content_loss(content,generated)
    """,
}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_names_and_signatures_are_the_contract(assignment):
    for line in SIGNATURES[assignment].split():
        function = reference(assignment, line.split("(")[0])
        parameters = inspect.signature(function).parameters.values()
        bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
        assert f"{function.__name__}({','.join(str(one).replace(' ', '') for one in bare)})" == line
        assert function.__doc__.rstrip().splitlines()[-1].strip().startswith("Source: ")
