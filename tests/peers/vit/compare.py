"""ViT-S forward: segcut-vit (f32 and i16) against PyTorch (timm; fp32 and bf16) and ONNX Runtime.

    pip install -r requirements.txt
    cargo build --release -p segcut-vit --example time_vit
    python compare.py TARGET/release/examples/time_vit [--clock wall|cpu] [--rounds 3] [--repeats 10]

Every round runs each program once, one after the other, each in a process of its own. The least time per
image is printed in milliseconds, with the ratios of segcut's f32 to ONNX Runtime's and of PyTorch's bf16 to
segcut's i16. `--clock cpu` counts the processor time of all threads, for machines that others use too.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

PEER = """
import sys, time
kind, patch, px, threads, repeats, batch, depth = sys.argv[1], *map(int, sys.argv[2:8])
onnx = sys.argv[8]
import torch, timm
torch.set_num_threads(threads)
def model():
    name = f"vit_small_patch{patch}_224.dino"
    return timm.create_model(name, pretrained=False, num_classes=0, img_size=px, depth=depth).eval()
x = torch.randn(batch, 3, px, px)
if kind == "export":
    torch.onnx.export(model(), (x,), onnx, dynamo=False, opset_version=17)
    sys.exit()
if kind == "onnx":
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x.numpy()}
    run = lambda: session.run(None, feed)
else:
    net = model()
    if kind == "bf16":
        net, x = net.bfloat16(), x.bfloat16()
    run = lambda: net.forward_features(x)
wall, cpu = [], []
with torch.inference_mode():
    run()
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        run()
        wall.append(1e3 * (time.perf_counter() - start[0]) / batch)
        cpu.append(1e3 * (time.process_time() - start[1]) / batch)
print(min(wall), min(cpu))
"""


def run(command, column):
    out = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if out.returncode:
        sys.exit(out.stderr)
    return float(out.stdout.strip().splitlines()[-1].split()[column]) if out.stdout.strip() else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--cases", nargs="*", default=["16@224", "16@448", "8@224", "8@448"])
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 8])
    parser.add_argument("--depth", type=int, default=12)
    args = parser.parse_args()
    cpu = args.clock == "cpu"
    print(f"{args.clock} ms an image  threads  batch  segcut  pytorch    onnx  f32/onnx     i16    bf16  bf16/i16")
    with tempfile.TemporaryDirectory() as folder:
        for case in args.cases:
            patch, px = case.split("@")
            for batch in args.batches:
                onnx = Path(folder) / f"{case}_{batch}.onnx"
                peer = lambda kind, threads: run(
                    [sys.executable, "-c", PEER, kind, patch, px, threads, args.repeats, batch, args.depth, onnx], int(cpu)
                )
                ours = lambda bits, threads: run(
                    [args.ours, patch, px, threads, args.repeats, batch, args.depth, bits], 2 if cpu else 0
                )
                peer("export", 1)
                for threads in args.threads:
                    best = dict.fromkeys(["f32", "i16", "pytorch", "bf16", "onnx"], float("inf"))
                    for _ in range(args.rounds):
                        times = {
                            "f32": ours(32, threads),
                            "onnx": peer("onnx", threads),
                            "i16": ours(16, threads),
                            "pytorch": peer("f32", threads),
                            "bf16": peer("bf16", threads),
                        }
                        best = {name: min(best[name], times[name]) for name in best}
                    print(
                        f"S/{case:<13} {threads:>7} {batch:>6} {best['f32']:>8.1f} {best['pytorch']:>8.1f} {best['onnx']:>7.1f}"
                        f" {best['f32'] / best['onnx']:>9.2f} {best['i16']:>7.1f} {best['bf16']:>7.1f} {best['bf16'] / best['i16']:>9.2f}",
                        flush=True,
                    )


main()
