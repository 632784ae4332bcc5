"""Base class for transforms that wrap a step of `preprocessing.steps`."""

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

from mmcv.transforms import BaseTransform


class StepTransform(BaseTransform):
    """Base class for transforms that wrap a step of `preprocessing.steps`.

    All arguments become attributes, including defaults that depend on other arguments.

    Attributes:
        step: function in `preprocessing.steps` that checks the arguments of the transform
            and returns the step, a callable that modifies and returns a sample.
    """

    step: Callable[..., partial]

    def __init_subclass__(cls) -> None:
        if "step" in vars(cls):
            cls.__signature__ = signature(cls.step)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._run = self.step(*args, **kwargs)
        bound = signature(self.step).bind(*args, **kwargs)
        bound.apply_defaults()
        more = bound.arguments.pop("kwargs", {})
        self._arguments = bound.arguments | more
        self.__dict__.update(self._arguments | self._run.keywords)

    def transform(self, results: dict) -> dict:
        return self._run(results)

    def __repr__(self) -> str:
        arguments = (f"{name}={value!r}" for name, value in self._arguments.items())
        return f"{type(self).__name__}({', '.join(arguments)})"
