"""ViT-S forward, batch 1: segcut-vit against PyTorch (timm; fp32 and bf16) and ONNX Runtime.

    pip install -r requirements.txt
    cargo build --release -p segcut-vit --example time_vit
    python compare.py TARGET/release/examples/time_vit [--rounds 5]

Every round runs each program once, one after the other, each in a process of its own; medians of the
rounds are printed in milliseconds, with segcut's ratio to the fastest f32 peer.
"""
import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = [(16, 224), (16, 448), (8, 224), (8, 448)]
PEER = """
import sys, time, statistics
kind, patch, px, threads, repeats, onnx = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
import torch, timm
torch.set_num_threads(threads)
def model():
    name = f"vit_small_patch{patch}_224.dino"
    return timm.create_model(name, pretrained=False, num_classes=0, img_size=px).eval()
x = torch.randn(1, 3, px, px)
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
times = []
with torch.inference_mode():
    run()
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
print(statistics.median(times))
"""


def peer(kind, patch, px, threads, repeats, onnx):
    command = [sys.executable, "-c", PEER, kind, str(patch), str(px), str(threads), str(repeats), str(onnx)]
    out = subprocess.run(command, capture_output=True, text=True)
    if out.returncode:
        sys.exit(out.stderr)
    return float(out.stdout.strip().splitlines()[-1]) if kind != "export" else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print("model         threads  segcut  pytorch  bf16  onnxruntime  ratio to fastest f32")
    with tempfile.TemporaryDirectory() as folder:
        for patch, px in CASES:
            onnx = Path(folder) / f"s{patch}_{px}.onnx"
            peer("export", patch, px, 1, 1, onnx)
            for threads in (1, 2):
                times = {"segcut": [], "f32": [], "bf16": [], "onnx": []}
                for _ in range(args.rounds):
                    ours = subprocess.run([args.ours, *map(str, (patch, px, threads, args.repeats))], capture_output=True, text=True, check=True)
                    times["segcut"].append(float(ours.stdout))
                    for kind in ("f32", "bf16", "onnx"):
                        times[kind].append(peer(kind, patch, px, threads, args.repeats, onnx))
                m = {k: statistics.median(v) for k, v in times.items()}
                ratio = m["segcut"] / min(m["f32"], m["onnx"])
                print(f"S/{patch:<2} @ {px}  {threads:>7}  {m['segcut']:6.1f}  {m['f32']:7.1f}  {m['bf16']:5.1f}  {m['onnx']:10.1f}  {ratio:.2f}", flush=True)


main()
