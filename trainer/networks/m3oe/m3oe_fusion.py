"""The weights by which M3oE fuses its experts."""

import keras
from keras import ops

#: Start of the learnt numbers; their sigmoid is 0.731.
_START = 1.0
#: All weights of M3oE "w/o AutoML".
_FIXED = 0.5


class FusionWeights(keras.layers.Layer):
    """Weights of the domains' and tasks' experts in z (M3oE, Eqs. 5 to 7 and 10).

    Of expert d' for a row of domain d: α_D β_D where d' = d, else α_D (1 − β_D)/(D − 1); of the
    tasks' experts likewise. A β exists where there is something to weigh against.

    Shapes: domain ids ``(B,)`` to the weights ``(B, T, D)`` of the domains' experts and
    ``(B, T, T)`` of the tasks', None for a module without experts.

    Args:
        tasks: T.
        domain_experts: D, or 0 for none.
        task_experts: T, or 0 for none.
        learns: α and β are sigmoids of trainable numbers; else they are 0.5.
        balances: whether there are α; else they are 1.
    """

    def __init__(
        self,
        tasks: int,
        domain_experts: int,
        task_experts: int,
        learns: bool,
        balances: bool,
    ):
        super().__init__()
        self.tasks = tasks
        self.domain_experts, self.task_experts = domain_experts, task_experts
        self.learns, self.balances = learns, balances
        self.numbers: dict[str, keras.Variable] = {}
        for name, experts in (("domain", domain_experts), ("task", task_experts)):
            if learns and experts and balances:
                self.numbers[f"alpha_{name}"] = self._number(f"alpha_{name}")
            if learns and experts > 1:
                self.numbers[f"beta_{name}"] = self._number(f"beta_{name}")

    def _number(self, name: str) -> keras.Variable:
        start = keras.initializers.Constant(_START)
        # Under mixed precision too the few numbers that matter most are kept exact.
        return self.add_weight(
            shape=(), initializer=start, name=name, dtype="float32", autocast=False
        )

    def _value(self, name: str) -> keras.KerasTensor | float:
        """α or β by name."""
        return ops.sigmoid(self.numbers[name]) if self.learns else _FIXED

    def call(
        self, domain_ids: keras.KerasTensor
    ) -> tuple[keras.KerasTensor | None, keras.KerasTensor | None]:
        """Weights in z for rows of the domains ``(B,)``: of domains' and of tasks' experts."""
        domain = task = None
        rows = ops.ones_like(ops.cast(domain_ids, "float32"))[:, None, None]  # (B, 1, 1)
        if self.domain_experts:
            own = ops.one_hot(domain_ids, self.domain_experts, dtype="float32")  # (B, D)
            domain = self._weigh("domain", own)[:, None]
            domain = ops.repeat(domain, self.tasks, axis=1)
        if self.task_experts:
            task = rows * self._weigh("task", ops.eye(self.task_experts, dtype="float32"))
        return domain, task

    def _weigh(self, name: str, own: keras.KerasTensor) -> keras.KerasTensor:
        """Weights ``(..., E)`` of one module, by which of the E experts is the own one."""
        experts = own.shape[-1]
        weights = own
        if experts > 1:
            beta = self._value(f"beta_{name}")
            weights = own * beta + (1.0 - own) * (1.0 - beta) / (experts - 1)
        return weights * self._value(f"alpha_{name}") if self.balances else weights
