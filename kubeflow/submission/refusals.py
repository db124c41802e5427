"""What to do about an answer with which the API of Kubeflow Pipelines refuses a request."""

import dataclasses

#: HTTP states that go away by themselves; 0 is a refused certificate.
TRANSIENT = (0, 408, 425, 429, 500, 502, 503, 504)
#: Those of them that say that nothing was done.
NOT_DONE = (0, 425, 429)
#: There is no such object, or there is none any more.
ABSENT = (404, 410)
#: There is one already, or another request changes it.
CONFLICT = 409


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked of the API.

    Attributes:
        action: what is being done, for people: ``starting run 'x'``.
        subject: the object, for people: ``experiment 'y'``.
        needs: what a role must allow where Kubeflow Pipelines has several users: ``create on
            runs``.
        done: what may have happened all the same where an answer does not come; empty where
            nothing can have.
        granted: what the role of the manifests has, for people.
    """

    action: str
    subject: str = "what was asked for"
    needs: str = "list on experiments"
    done: str = ""
    granted: str = "what a submission needs"

    @property
    def doubt(self) -> str:
        """What to do where the answer does not come."""
        if not self.done:
            return ""
        return f". {self.done} all the same: look at the page before doing it again"

    def remedy(self, status: int) -> str:
        """A sentence on what to do about an answer; empty for what the API itself explains."""
        if status == 401:
            return ". Give a token of its audience: --token-file"
        if status == 403:
            return (
                f". Whoever the token is of may not: a role must give {self.needs} "
                "(pipelines.kubeflow.org) in the namespace of the runs; mtlx-submit of "
                f"kubeflow/manifests/base/service_accounts.yaml has {self.granted}. Bind "
                "such a role, or give another token: --token-file"
            )
        if status == 404:
            return f". There is no {self.subject} there: check --host, --namespace, --experiment"
        if status == 410:
            return f". There was {self.subject}, and it was deleted"
        if status == CONFLICT:
            return f". There is {self.subject} already, or another request changes it: try again"
        if status in TRANSIENT:
            return "" if status in NOT_DONE else self.doubt
        return ""
