<?php
function hello($to)
{
    return "hello, $to";
}
