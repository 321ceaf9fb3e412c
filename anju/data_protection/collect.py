"""Finds every column and every field of a form in the services, with its tags."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Final

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel

from anju.data_protection.plumbing import TABLES
from contracts import deny, lint
from contracts.envelope import TYPES
from contracts.fields import read
from contracts.lint import Field

SERVICES: Final = ("registration", "housing", "alerts", "reporting")
PLUMBING: Final = ("chassis.data.tables", "chassis.events.tables")
# What a page asks for: inputs written out, and those made by the shared macros (field, select, …).
_INPUT = re.compile(r"""<(?:input|select|textarea)\b[^>]*?\bname=["']([^"'{}]+)["']""", re.DOTALL)
_MACRO = re.compile(r"""\.(?:field|select|textarea|choice|check)\(\s*["']([^"'{}]+)["']""")


def everything() -> list[Field]:
    """Events, tables (the plumbing's too) and forms of all services."""
    return [
        *lint.of_models("event", TYPES.values()),
        *plumbing_columns(),
        *(field for service in SERVICES for field in service_columns(service)),
        *(field for service in SERVICES for field in form_fields(service)),
    ]


def columns(owner: str, tables: Iterable[sa.Table]) -> Iterator[Field]:
    """The columns of tables, tags from `info`."""
    for table in tables:
        for column in table.columns:
            texts = tuple(text for text in (column.comment, table.comment) if text)
            yield Field("table", f"{owner}.{table.name}", column.name, read(column.info), texts=texts)


def service_columns(service: str) -> list[Field]:
    """The columns of a service's own tables."""
    tables = _tables(modules(f"services.{service}.storage", skip="migrations"))
    return [field for field in columns(service, tables) if field.owner.partition(".")[2] not in TABLES]


def plumbing_columns() -> list[Field]:
    """The columns of the plumbing tables, tagged by table; one that plumbing.TABLES does not know has no tags."""
    return [
        Field("table", f"chassis.{table.name}", column.name, read(TABLES.get(table.name)))
        for table in _tables(import_module(name) for name in PLUMBING)
        for column in table.columns
    ]


def _tables(found: Iterable[ModuleType]) -> list[sa.Table]:
    metadatas = {
        id(value): value for module in found for value in vars(module).values() if isinstance(value, sa.MetaData)
    }
    return [table for metadata in metadatas.values() for table in metadata.tables.values()]


def form_fields(service: str) -> list[Field]:
    """The fields of every request model and page form: what refuses unknown fields, and what a route takes as body."""
    found = [module for part in ("api", "web") for module in modules(f"services.{service}.{part}")]
    models: dict[type[BaseModel], None] = {}
    for module in found:
        for value in vars(module).values():
            if isinstance(value, APIRouter):
                models.update(dict.fromkeys(_bodies(value)))
            elif _is_form(value, service):
                models[value] = None
    return lint.of_models("form", models, service)


def _is_form(value: object, service: str) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, BaseModel)
        and value.__module__.startswith(f"services.{service}.")
        and value.model_config.get("extra") == "forbid"
    )


def _bodies(router: APIRouter) -> Iterator[type[BaseModel]]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            for parameter in route.dependant.body_params:
                annotation = parameter.field_info.annotation
                if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                    yield annotation


def input_problems(root: Path) -> list[str]:
    """Inputs of page templates whose name is on the deny list."""
    return [
        f"input {name!r} in {template.relative_to(root)}: is on the deny list, {refused}"
        for template in sorted(root.glob("**/templates/**/*.html"))
        for name in input_names(template.read_text(encoding="utf-8"))
        if (refused := deny.refusal(name))
    ]


def input_names(template: str) -> list[str]:
    """The names of the inputs in a template's text."""
    return [*_INPUT.findall(template), *_MACRO.findall(template)]


def modules(package: str, skip: str = "") -> list[ModuleType]:
    """A package and every module in it, imported; none where the package is absent."""
    if find_spec(package) is None:
        return []
    root = import_module(package)
    names = [info.name for info in walk_packages(getattr(root, "__path__", ()), f"{package}.")]
    return [root, *(import_module(name) for name in names if not skip or f".{skip}" not in name)]
