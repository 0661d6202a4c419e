"""Makes the fixtures of segcut-eval's oracle tests from independent implementations.

Run with numpy, scipy, scikit-image and scikit-learn: python generate.py
Region scores: scikit-learn and scikit-image, scipy's assignment; boundaries: scikit-image's thin, scipy's
assignments and distance transform; masks: scikit-learn. Random maps of a fixed seed.
"""
import json
import numpy as np
import scipy
import skimage
import sklearn
from scipy import ndimage as ndi
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from skimage.metrics import adapted_rand_error, variation_of_information
from skimage.morphology import thin
from sklearn import metrics as skm

RNG = np.random.default_rng(20)


def blobs(h, w, k):
    """Voronoi cells with a ragged border: regions that look like a segmentation."""
    rows, columns = RNG.uniform(0, h, k), RNG.uniform(0, w, k)
    r, c = np.mgrid[:h, :w]
    d = np.hypot(r[..., None] - rows, c[..., None] - columns) + RNG.uniform(0, 1.5, (h, w, k))
    return d.argmin(-1)


def iou_table(p, t):
    return np.array([[np.sum((p == a) & (t == b)) / np.sum((p == a) | (t == b)) for b in np.unique(t)] for a in np.unique(p)])


def crack_perimeter(mask):
    m = np.pad(mask, 1).astype(int)
    return np.abs(np.diff(m, axis=0)).sum() + np.abs(np.diff(m, axis=1)).sum()


def compactness(s):
    quotient = lambda m: m.sum() / s.size * 4 * np.pi * m.sum() / crack_perimeter(m) ** 2
    return sum(quotient(s == v) for v in np.unique(s))


def regions(p, t):
    table = skm.cluster.contingency_matrix(t.ravel(), p.ravel())  # truth x prediction
    iou = iou_table(p, t)
    sizes = np.array([np.sum(t == b) for b in np.unique(t)])
    row, column = linear_sum_assignment(-iou)
    prow, pcolumn = linear_sum_assignment(-table)
    return dict(
        covering=float((sizes * iou.max(0)).sum() / t.size),
        pri=float(skm.rand_score(t.ravel(), p.ravel())),
        voi=float(np.sum(variation_of_information(t, p))),
        ari=float(skm.adjusted_rand_score(t.ravel(), p.ravel())),
        nmi=float(skm.normalized_mutual_info_score(t.ravel(), p.ravel())),
        miou=float(iou[row, column].sum() / iou.shape[1]),
        pixel_accuracy=float(table[prow, pcolumn].sum() / t.size),
        asa=float(table.max(0).sum() / t.size),
        undersegmentation_error=float(np.minimum(table, table.sum(0) - table).sum() / t.size),
        compactness=float(compactness(p)),
    )


def seg2bmap(s):
    e, so, se = s.copy(), s.copy(), s.copy()
    e[:, :-1], so[:-1], se[:-1, :-1] = s[:, 1:], s[1:], s[1:, 1:]
    b = (s != e) | (s != so) | (s != se)
    b[-1] = s[-1] != e[-1]
    b[:, -1] = s[:, -1] != so[:, -1]
    b[-1, -1] = False
    return b


def match(a, b, reach):
    """Largest one-to-one matching, and the cheapest of the largest; matched pixels of each side."""
    pa, pb = np.argwhere(a), np.argwhere(b)
    if not len(pa) or not len(pb):
        return 0
    d = np.sqrt(((pa[:, None] - pb[None]) ** 2).sum(-1))
    near = d <= reach
    pairs = int((maximum_bipartite_matching(coo_matrix(near).tocsr(), perm_type="column") >= 0).sum())
    row, column = linear_sum_assignment(np.where(near, d, 100 * reach))
    assert pairs == int(near[row, column].sum())
    return pairs


def boundary(p, t, reach):
    a, b = thin(seg2bmap(p)), thin(seg2bmap(t))
    distance = ndi.distance_transform_edt(~seg2bmap(p))
    return dict(
        edges=seg2bmap(p).astype(int).ravel().tolist(),
        thin=a.astype(int).ravel().tolist(),
        reach=reach,
        pairs=match(a, b, reach),
        truth=int(b.sum()),
        recall_2px=float((distance[b] <= 2).mean()),
    )


def mask_case(p, t):
    y, x = t.ravel(), p.ravel()
    soft = np.round(RNG.uniform(0, 1, p.shape) * 255).astype(int)
    levels = [(soft.ravel() >= level) for level in range(256)]
    curve = [skm.fbeta_score(y, m, beta=np.sqrt(0.3), zero_division=0) for m in levels]
    return dict(
        prediction=x.astype(int).tolist(), truth=y.astype(int).tolist(), soft=soft.ravel().tolist(),
        iou=float(skm.jaccard_score(y, x)), accuracy=float(skm.accuracy_score(y, x)),
        precision=float(skm.precision_score(y, x)), recall=float(skm.recall_score(y, x)),
        f_beta=float(skm.fbeta_score(y, x, beta=np.sqrt(0.3))),
        mae=float(skm.mean_absolute_error(y, soft.ravel() / 255)),
        max_f=float(max(curve)), max_f_level=int(np.argmax(curve)),
    )


def semantic_case(maps):
    y, x = np.concatenate([t.ravel() for _, t in maps]), np.concatenate([p.ravel() for p, _ in maps])
    labels = np.union1d(x, y)
    table = skm.confusion_matrix(y, x, labels=labels)
    row, column = linear_sum_assignment(-table)
    mapped = np.full(labels.max() + 1, -1)
    for r, c in zip(row, column):
        if table[r, c]:
            mapped[labels[c]] = labels[r]
    truths = np.unique(y)
    return dict(
        miou=float(skm.jaccard_score(y, x, average="macro")), accuracy=float(skm.accuracy_score(y, x)),
        matched_miou=float(skm.jaccard_score(y, mapped[x], labels=truths, average="macro")),
        matched_accuracy=float((mapped[x] == y).mean()),
    )


def main():
    cases, semantic = [], []
    for index, (h, w, kp, kt) in enumerate([(13, 17, 5, 4), (20, 16, 12, 3), (16, 24, 3, 9), (9, 9, 1, 4), (12, 12, 30, 30), (24, 30, 8, 7)]):
        p, t = blobs(h, w, kp), blobs(h, w, kt)
        if index == 4:
            p, t = RNG.integers(0, 6, (h, w)), RNG.integers(0, 5, (h, w))
        case = dict(height=h, width=w, prediction=p.ravel().tolist(), truth=t.ravel().tolist())
        case["regions"] = regions(p, t)
        case["boundary"] = [boundary(p, t, reach) for reach in (1.0, 2.0, 0.0075 * 577)]
        cases.append(case)
        semantic.append((p, t))
    thick = [dict(height=18, width=22, mask=m.astype(int).ravel().tolist(), thin=thin(m).astype(int).ravel().tolist())
             for m in [RNG.uniform(size=(18, 22)) < q for q in (0.3, 0.6, 0.85)]]
    masks = [mask_case(RNG.uniform(size=(11, 14)) < 0.4, RNG.uniform(size=(11, 14)) < q) for q in (0.2, 0.5)]
    out = dict(cases=cases, thick=thick, masks=masks, semantic=semantic_case(semantic[:4]))
    with open("fixtures.json", "w") as file:
        json.dump(out, file, separators=(",", ":"))
        file.write("\n")
    with open("versions.txt", "w") as file:
        for module in (np, scipy, skimage, sklearn):
            file.write(f"{module.__name__} {module.__version__}\n")


main()
