"""Figures as files: the same rows as on the page, hidden cells hidden alike."""

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO

from fastapi import Response
from xlsxwriter import Workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Excel reads a CSV as UTF-8 only with this mark in front.
MARK = "\ufeff"
Row = Sequence[str | int]


def as_csv(rows: Sequence[Row], name: str) -> Response:
    """Return rows as CSV, the first one the head."""
    text = StringIO()
    csv.writer(text).writerows(rows)
    return _file((MARK + text.getvalue()).encode(), "text/csv; charset=utf-8", f"{name}.csv")


def as_xlsx(rows: Sequence[Row], name: str) -> Response:
    """Return rows as a workbook of one sheet, the first one the head; codes stay text."""
    content = BytesIO()
    with Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        for line, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(line, column, value)
                else:
                    sheet.write_string(line, column, value, None if line else bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 0, 20)
    return _file(content.getvalue(), XLSX, f"{name}.xlsx")


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})
