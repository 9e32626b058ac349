"""People decide: a form, an approval, one branch of two, and a mapped question that is answered by default."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLBranchOperator, HITLEntryOperator, HITLOperator
from airflow.sdk import DAG, Param, task

with DAG("example_hitl", schedule=None, start_date=datetime(2026, 1, 1), tags=["example", "HITL"], doc_md=__doc__):
    amount = HITLEntryOperator(
        task_id="amount",
        subject="How much shall be paid?",
        params={"amount": Param(100, type="integer", minimum=1)},
    )
    # One question for each country; nobody answers, so the default does after a second.
    colour = HITLOperator.partial(
        task_id="colour", options=["red", "green"], defaults=["green"], response_timeout=timedelta(seconds=1)
    ).expand(subject=["The colour for France", "The colour for Spain"])
    approval = ApprovalOperator(
        task_id="approval",
        subject="Pay {{ ti.xcom_pull('amount')['params_input']['amount'] }}?",
        body="A rejection skips what follows.",
    )
    way = HITLBranchOperator(
        task_id="way", subject="By which way?", options=["Bank", "Cash"], options_mapping={"Bank": "bank", "Cash": "cash"}
    )

    @task
    def bank() -> str:
        return "paid by bank"

    @task
    def cash() -> str:
        return "paid in cash"

    [amount, colour] >> approval >> way >> [bank(), cash()]
