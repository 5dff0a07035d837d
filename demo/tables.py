"""Make the tables of the demo's empty database from the models, in half a second.

Replaying all migrations ends with the same tables, which a test holds equal, and takes a third of the time in which the
demo must be ready: Django makes every model anew for each change of one. A database that has tables is migrated.
"""

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


def make_tables(connection: BaseDatabaseWrapper) -> None:
    """Make every table, run the operations of our own that migrations have, and mark all migrations as applied."""
    executor = MigrationExecutor(connection)
    plan = [
        migration for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]
    state = ProjectState()  # these operations read no models
    executor.recorder.ensure_schema()
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        for migration in plan:
            for operation in migration.operations:
                if not type(operation).__module__.startswith("django."):
                    operation.database_forwards(migration.app_label, editor, state, state)
            executor.recorder.record_applied(migration.app_label, migration.name)


def tell_apps(connection: BaseDatabaseWrapper) -> None:
    """Let apps fill their tables, such as that of permissions, as `migrate` does at its end."""
    emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
