"""nbgrader in this course: where the folders are, and who grades."""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "keras-from-scratch"
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.release_directory = "assignments"
# The gradebook is gradebook.db in this folder, or with keras-from-scratch[postgresql] installed:
# c.CourseDirectory.db_url = "postgresql://user@host/database"

# Hand-ins are rebuilt from the release copy and graded in a sandbox, never run in a kernel of nbgrader's.
c.Autograde.exporter_class = "grader.autograde.HandInExporter"
c.Autograde.autograde_preprocessors = [
    "grader.autograde.Grade",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "grader.autograde.FlagForALook",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# A new gradebook is made by `alembic`, which nbgrader calls by bare name.
if (here := str(Path(sys.executable).parent)) not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", os.defpath)])
