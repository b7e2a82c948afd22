"""What several tests stand on."""

import pytest

import kerasref.quiet  # noqa: F401, before anything imports TensorFlow
from grader.sandbox import Sandbox, SandboxError


@pytest.fixture(scope="session")
def sandboxed() -> str:
    """Skip where no sandbox can run, with the reason; elsewhere say which one does."""
    try:
        with Sandbox() as sandbox:
            return sandbox.description
    except SandboxError as reason:
        pytest.skip(str(reason))
