s=0; for ((i=0;i<$1;i++)); do ((s+=i%7)); a="x$i"; [[ $a == *9 ]] && s=$((s+1)); done; echo $s
