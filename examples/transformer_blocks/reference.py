#!/usr/bin/env python3
"""Writes data/reference.csv: the attention and the feed-forward blocks of gpt-oss and Gemma 2, computed by PyTorch.

Run: pip install torch==2.15.0 transformers==5.24.0 && python3 reference.py

The blocks are the modules of Hugging Face's `transformers`, as they are: `GptOssAttention` and `GptOssMLP`, `Gemma2Attention` and
`Gemma2MLP`, with `eager_attention_forward` and masks of `transformers.masking_utils`. The last logits are three lines of
`Gemma2ForCausalLM.forward`, followed by its `ForCausalLMLoss`. Weights and inputs are made here and in `src/weights.rs` alike, so
they are not in the file: multiples of a power of two with 7 bits, which `f32` and bf16 both have. The rotary embedding is that of
position 0 everywhere, cos 1 and sin 0, because it is not an activation.

The first line has the versions. Each other line is `BLOCK,TYPE,PART,BITS...`, row by row, each number as its bits in hex
without leading zeros; the loss is an `f32` for both types. Gradients are PyTorch's automatic ones, of the sum of the block's output times `upstream` from here.
"""

import pathlib

import torch
import transformers
from torch.overrides import TorchFunctionMode
from transformers import Gemma2Config, GptOssConfig
from transformers.loss.loss_utils import ForCausalLMLoss
from transformers.masking_utils import create_causal_mask, create_sliding_window_causal_mask
from transformers.models.gemma2.modeling_gemma2 import Gemma2Attention, Gemma2MLP
from transformers.models.gpt_oss.modeling_gpt_oss import GptOssAttention, GptOssMLP

QUERIES, WINDOW, HIDDEN, VOCABULARY = 12, 5, 32, 24
HEADS = dict(num_attention_heads=4, num_key_value_heads=2, head_dim=8)
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def numbers(seed, n, size):
    """Multiples of size / 64 from [-size, size), by SplitMix64."""
    state, made = seed, []
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        z ^= z >> 31
        made.append(((z >> 57) - 64) / 64 * size)
    return made


def tensor(seed, shape, size, dtype):
    return torch.tensor(numbers(seed, torch.Size(shape).numel(), size), dtype=dtype).reshape(shape)


class Products(TorchFunctionMode):
    """Keeps the results of `torch.matmul`, and their gradients: attention's scores are the first one."""

    def __init__(self):
        super().__init__()
        self.results = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func is torch.matmul:
            result.retain_grad()
            self.results.append(result)
        return result


def set_weights(module, weights, dtype):
    """Overwrites every parameter; none may be left over."""
    module.to(dtype)
    for name, parameter in module.named_parameters():
        seed, size = weights.pop(name)
        parameter.data.copy_(tensor(seed, parameter.shape, size, dtype))
    assert not weights, weights


def attention(module, config, make_mask, hidden_seed, dtype):
    hidden = tensor(hidden_seed, (1, QUERIES, HIDDEN), 2.0, dtype)
    mask = make_mask(config=config, inputs_embeds=hidden, attention_mask=None, cache=None, position_ids=torch.arange(QUERIES)[None])
    rotation = torch.ones(1, QUERIES, config.head_dim, dtype=dtype), torch.zeros(1, QUERIES, config.head_dim, dtype=dtype)
    if isinstance(module, GptOssAttention):
        rotation = tuple(part[..., : config.head_dim // 2] for part in rotation)
    with Products() as products:
        out, p = module(hidden, rotation, mask)
    p.retain_grad()
    (out * tensor(hidden_seed + 1, out.shape, 1.0, dtype)).sum().backward()
    scores = products.results[0]
    return {"x": scores, "p": p, "grad_p": p.grad, "grad_x": scores.grad, "out": out}


def gpt_oss_attention(dtype):
    config = GptOssConfig(
        hidden_size=HIDDEN, sliding_window=WINDOW, layer_types=["sliding_attention"], num_hidden_layers=1, **HEADS
    )
    config._attn_implementation = "eager"
    module = GptOssAttention(config, 0).eval()
    weights = {f"{name}_proj.weight": (10 + i, 0.25) for i, name in enumerate("qkvo")}
    weights |= {f"{name}_proj.bias": (20 + i, 0.5) for i, name in enumerate("qkvo")}
    set_weights(module, weights | {"sinks": (30, 2.0)}, dtype)
    parts = attention(module, config, create_sliding_window_causal_mask, 1, dtype)
    return parts | {"grad_sinks": module.sinks.grad}


def gemma_2_attention(layer):
    make_mask = [create_sliding_window_causal_mask, create_causal_mask][layer]

    def run(dtype):
        config = Gemma2Config(
            hidden_size=HIDDEN, sliding_window=WINDOW, query_pre_attn_scalar=8, num_hidden_layers=2, **HEADS
        )
        config._attn_implementation = "eager"
        assert config.attn_logit_softcapping == 50.0 and config.layer_types[layer] == ["sliding_attention", "full_attention"][layer]
        module = Gemma2Attention(config, layer).eval()
        # Great enough queries for scores of up to 28, which the cap changes.
        weights = {f"{name}_proj.weight": (50 + 10 * layer + i, [1.0, 0.5][min(i, 1)]) for i, name in enumerate("qkvo")}
        set_weights(module, weights, dtype)
        return attention(module, config, make_mask, 3, dtype)

    return run


def gpt_oss_feed_forward(dtype):
    config = GptOssConfig(hidden_size=HIDDEN, intermediate_size=16, num_local_experts=4, num_experts_per_tok=2, num_hidden_layers=1)
    config._experts_implementation = "eager"
    assert config.swiglu_alpha == 1.702 and config.swiglu_limit == 7.0
    module = GptOssMLP(config).eval()
    experts, router = "experts.", "router."
    set_weights(
        module,
        {
            router + "weight": (129, 0.25),
            router + "bias": (71, 0.5),
            experts + "gate_up_proj": (72, 1.0),
            experts + "gate_up_proj_bias": (73, 1.0),
            experts + "down_proj": (74, 0.25),
            experts + "down_proj_bias": (75, 0.5),
        },
        dtype,
    )
    kept = {"gate_up": [], "gated": []}
    apply_gate = module.experts._apply_gate

    def keep(gate_up):
        gated = apply_gate(gate_up)
        for name, value in (("gate_up", gate_up), ("gated", gated)):
            value.retain_grad()
            kept[name].append(value)
        return gated

    module.experts._apply_gate = keep
    routed = []
    module.router.register_forward_hook(lambda _, __, output: routed.extend(output))
    out, _ = module(tensor(5, (1, QUERIES, HIDDEN), 2.0, dtype))
    logits, weights, chosen = routed
    logits.retain_grad()
    weights.retain_grad()
    (out * tensor(6, out.shape, 1.0, dtype)).sum().backward()
    ordered = logits.sort(dim=-1, descending=True).values
    assert (ordered[:, 0] - ordered[:, 1]).min() > 0.05 and (ordered[:, 1] - ordered[:, 2]).min() > 0.05, "a near tie"
    join = lambda values: torch.cat(list(values))
    return {
        "logits": logits,
        "weights": weights,
        "grad_weights": weights.grad,
        "grad_logits": logits.grad,
        "gate_up": join(kept["gate_up"]),
        "gated": join(kept["gated"]),
        "grad_gated": join(value.grad for value in kept["gated"]),
        "grad_gate_up": join(value.grad for value in kept["gate_up"]),
        "out": out,
    }


def gemma_2_feed_forward(dtype):
    config = Gemma2Config(hidden_size=HIDDEN, intermediate_size=32)
    assert config.hidden_activation == "gelu_pytorch_tanh"
    module = Gemma2MLP(config).eval()
    set_weights(module, {f"{name}_proj.weight": (80 + i, [0.5, 0.5, 0.25][i]) for i, name in enumerate(["gate", "up", "down"])}, dtype)
    kept = {}

    def keep(name):
        def hook(_, inputs, output):
            kept[name] = inputs[0] if name == "gated" else output
            kept[name].retain_grad()

        return hook

    for name, layer in (("gate", module.gate_proj), ("up", module.up_proj), ("gated", module.down_proj)):
        layer.register_forward_hook(keep(name))
    out = module(tensor(7, (1, QUERIES, HIDDEN), 2.0, dtype))
    (out * tensor(8, out.shape, 1.0, dtype)).sum().backward()
    return kept | {f"grad_{name}": value.grad for name, value in kept.items()} | {"out": out}


def gemma_2_logits(dtype):
    cap = Gemma2Config().final_logit_softcapping
    assert cap == 30.0
    hidden, head = tensor(9, (QUERIES, HIDDEN), 2.0, dtype), tensor(90, (VOCABULARY, HIDDEN), 4.0, dtype)
    x = torch.nn.functional.linear(hidden, head).requires_grad_()
    # As in Gemma2ForCausalLM.forward.
    logits = x / cap
    logits = torch.tanh(logits)
    logits = logits * cap
    logits.retain_grad()
    labels = torch.arange(QUERIES) * 7 % VOCABULARY
    loss = ForCausalLMLoss(logits[None], None, VOCABULARY, shift_labels=labels)
    loss.backward()
    assert loss.dtype == torch.float32
    return {"x": x, "capped": logits, "grad_capped": logits.grad, "grad_x": x.grad, "loss": loss}


def bits(value):
    assert value.isfinite().all()
    signed, digits = {torch.float32: (torch.int32, 32), torch.bfloat16: (torch.int16, 16)}[value.dtype]
    flat = value.detach().contiguous().flatten().view(signed).tolist()
    return [f"{number % 2**digits:x}" for number in flat]


def main():
    torch.set_num_threads(1)
    lines = [f"versions,torch {torch.__version__.split('+')[0]},transformers {transformers.__version__}"]
    blocks = {
        "gpt-oss attention": gpt_oss_attention,
        "gpt-oss feed-forward": gpt_oss_feed_forward,
        "Gemma 2 sliding attention": gemma_2_attention(0),
        "Gemma 2 full attention": gemma_2_attention(1),
        "Gemma 2 feed-forward": gemma_2_feed_forward,
        "Gemma 2 logits": gemma_2_logits,
    }
    for block, run in blocks.items():
        for name, dtype in TYPES.items():
            for part, value in run(dtype).items():
                lines.append(",".join([block, name, part, *bits(value)]))
                print(f"{block:26} {name:5} {part:13} {list(value.shape)}, greatest {value.abs().max().item():.3g}")
    path = pathlib.Path(__file__).parent / "data/reference.csv"
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
