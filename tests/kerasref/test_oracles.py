"""Every reference that torch has too agrees with torch to 1e-12, live where torch is and recorded everywhere."""

import importlib
import inspect

import pytest

from tests.kerasref.oracles import (
    ASSIGNMENTS,
    assert_agrees,
    cases,
    oracle,
    recorded,
    torch_call,
    torch_value,
)


def reference(assignment, function):
    return getattr(importlib.import_module(f"kerasref.{assignment}"), function)


FUNCTIONS = [
    pytest.param(assignment, function, id=f"{assignment}.{function}")
    for assignment in ASSIGNMENTS
    for function in oracle(assignment).CALLS
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


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_names_and_signatures_are_the_contract(assignment):
    for line in oracle(assignment).SIGNATURES.split():
        function = reference(assignment, line.split("(")[0])
        parameters = inspect.signature(function).parameters.values()
        bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
        assert f"{function.__name__}({','.join(str(one).replace(' ', '') for one in bare)})" == line
        assert function.__doc__.rstrip().splitlines()[-1].strip().startswith("Source: ")
